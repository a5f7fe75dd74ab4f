import { PlatformError } from '../runtime/errors.ts';
import type { Fleet } from './fleet.ts';
import type { WorkerContext } from './worker-context.ts';
import { actualOwner, type Lease } from './lease.ts';
import { LeaseStoreError } from './lease-store.ts';
import { processOf } from './pulse.ts';

/**
 * Leases of this worker's id, held by another process: an earlier life of this worker, or a second worker that was
 * given the same id. An earlier life that is surely over leaves them to us at once. Otherwise they are watched for
 * somewhat longer than a renewal takes: if one moves, that process lives, and this one must not start.
 */
export async function settleIdentity(
  context: WorkerContext,
  fleet: Fleet,
  isGone: (processId: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { clock, report, timings, worker } = context;
  const before = foreignLives(context, fleet).filter(
    ({ incarnation }) => !isGone(processOf(incarnation ?? '', worker)),
  );
  const untilMs = clock.monotonic() + timings.renewMs * 1.25;
  while (before.length > 0 && clock.monotonic() < untilMs && !signal.aborted) {
    await clock.sleep(timings.pollMs, signal);
    try {
      await fleet.look(before.map((lease) => lease.leaseKey));
    } catch (error) {
      if (!(error instanceof LeaseStoreError)) throw error;
      report({ type: 'call-failed', doing: 'look for an earlier process of this worker', error });
    }
    for (const lease of before) assertQuiet(context, lease, fleet.get(lease.leaseKey));
  }
  for (const { incarnation } of foreignLives(context, fleet)) {
    if (incarnation !== undefined) context.life.incarnations.add(incarnation);
  }
}

function foreignLives({ worker, life }: WorkerContext, fleet: Fleet): readonly Lease[] {
  return fleet
    .all()
    .map(({ lease }) => lease)
    .filter((lease) => {
      const { incarnation } = lease;
      return (
        actualOwner(lease) === worker && incarnation !== undefined && !life.incarnations.has(incarnation)
      );
    });
}

function assertQuiet({ report, worker }: WorkerContext, before: Lease, now: Lease | undefined): void {
  const alive = now?.incarnation === before.incarnation && now?.counter !== before.counter;
  if (!alive || before.incarnation === undefined) return;
  report({ type: 'duplicate-worker', worker, incarnation: before.incarnation });
  throw new DuplicateWorker(worker, before.incarnation);
}

export class DuplicateWorker extends PlatformError {
  constructor(worker: string, incarnation: string) {
    const what = `Another running process (${incarnation}) uses the worker id "${worker}": give each its own`;
    super('duplicate-worker', what);
  }
}

/** Two processes with one worker id that started at the same moment: neither saw leases of the other then. */
export class Twins {
  readonly #context: WorkerContext;
  readonly #fleet: Fleet;
  readonly #seen = new Map<string, Lease>();
  readonly #reported = new Set<string>();

  constructor(context: WorkerContext, fleet: Fleet) {
    this.#context = context;
    this.#fleet = fleet;
  }

  /** After leases were read. Both see each other; the one whose incarnation sorts first stays, the other throws. */
  check(): void {
    const { life, report, worker } = this.#context;
    for (const lease of foreignLives(this.#context, this.#fleet)) {
      const { incarnation: other = '', leaseKey } = lease;
      const before = this.#seen.get(leaseKey);
      this.#seen.set(leaseKey, lease);
      // Only one that writes is alive; what is left of one that died stands still.
      if (before?.incarnation !== other || before.counter === lease.counter) continue;
      if (!this.#reported.has(other)) report({ type: 'duplicate-worker', worker, incarnation: other });
      this.#reported.add(other);
      if (other < life.incarnation) throw new DuplicateWorker(worker, other);
    }
  }
}
