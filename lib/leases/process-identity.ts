import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { pid, kill } from 'node:process';
import { nameOf } from '../runtime/errors.ts';

/**
 * Which process this is, in a form from which a later one on the same machine can tell whether it still runs:
 * `machine.pid.start`. Then a worker that is restarted under the same id has its leases back at once.
 */
export interface ProcessIdentity {
  readonly processId: string;
  /** True only if it is certain; a process on another machine, or in another container, may always still run. */
  readonly isGone: (processId: string) => boolean;
}

/** One per process: two consumers in one process must not take each other for an earlier life. */
const start = randomUUID().slice(0, 8);

export function processIdentity(machine = machineName()): ProcessIdentity {
  return {
    processId: `${machine}.${pid}.${start}`,
    isGone: (processId) => {
      const [otherMachine, otherPid = '', otherStart] = processId.split('.');
      if (otherMachine !== machine || !/^[1-9]\d*$/.test(otherPid)) return false;
      // Under our own number nobody else can still be running.
      return Number(otherPid) === pid ? otherStart !== start : !runs(Number(otherPid));
    },
  };
}

function runs(otherPid: number): boolean {
  try {
    kill(otherPid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** Where process numbers mean the same: this boot of this machine, and this container of it. */
function machineName(): string {
  const parts = [
    () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8),
    () => readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, ''),
  ].map((read) => {
    try {
      return read();
    } catch (error) {
      // Not Linux: the host's name has to do.
      return nameOf(error);
    }
  });
  return [hostname().replaceAll('.', '-'), ...parts].join('_');
}
