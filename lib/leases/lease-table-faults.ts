import type { Clock } from '../runtime/clock.ts';
import { LeaseStoreError } from './lease-store.ts';
import type { LeaseWrite } from './lease-writes.ts';
import type { LeaseTable } from './table-lease-store.ts';

/** What goes wrong with one call of one process to its lease table. */
export type LeaseTableFault =
  | { readonly type: 'throttle' }
  /** The credentials have expired, or the role is gone. */
  | { readonly type: 'forbid' }
  /** The request is lost: nothing happens at the table. */
  | { readonly type: 'drop-request' }
  /** The call takes effect, its answer is lost. */
  | { readonly type: 'drop-response' }
  /** The caller gives up; the call takes effect `ms` after it was sent, perhaps after its repetition. */
  | { readonly type: 'land-late'; readonly ms: number }
  /** The call takes effect now and is answered `ms` later. */
  | { readonly type: 'slow'; readonly ms: number };

export interface LeaseTableFaultRule {
  /** Every call by default. */
  readonly on?: keyof LeaseTable;
  /** Only updates for which this is true; so no other calls. */
  readonly where?: (write: LeaseWrite) => boolean;
  /** How many calls it strikes, then it is gone; without end by default. */
  readonly times?: number;
  /** Probability with which it strikes a call that it fits; 1 by default. */
  readonly chance?: number;
  readonly fault: LeaseTableFault;
}

/** One process's way to the table. */
export interface LeaseTableLine extends LeaseTable {
  /** Returns the verb that takes the rule away. Of the rules that fit, the one added first strikes. */
  readonly fault: (rule: LeaseTableFaultRule) => () => void;
}

export interface LineOptions {
  /** The process's own clock. */
  readonly clock: Clock;
  /** What was sent arrives by this clock, even if its sender stands still. The process's own by default. */
  readonly worldClock?: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** When the process gives up on an answer. */
  readonly requestMs: number;
}

/** For tests: a lease table whose calls go wrong as they are told to. */
export function faultyLeaseTable(table: LeaseTable, options: LineOptions): LeaseTableLine {
  const { clock, random, requestMs, worldClock = clock } = options;
  let rules: readonly { readonly rule: LeaseTableFaultRule; left: number }[] = [];

  const strike = (call: keyof LeaseTable, write?: LeaseWrite): LeaseTableFault | undefined => {
    const struck = rules.find(({ rule: { on = call, where, chance = 1 } }) => {
      const fits = on === call && (where === undefined || (write !== undefined && where(write)));
      return fits && (chance === 1 || random() < chance);
    });
    if (struck === undefined) return undefined;
    struck.left -= 1;
    rules = rules.filter(({ left }) => left > 0);
    return struck.rule.fault;
  };
  const timeout = async (what: string): Promise<never> => {
    await clock.sleep(requestMs);
    throw new LeaseStoreError('lease-table-unavailable', `simulated: the ${what}`);
  };
  const run = async <T>(fault: LeaseTableFault | undefined, effect: () => Promise<T>): Promise<T> => {
    switch (fault?.type) {
      case undefined:
        return effect();
      case 'throttle':
        throw new LeaseStoreError('lease-table-throttled', 'simulated: throttled');
      case 'forbid':
        throw new LeaseStoreError('lease-table-forbidden', 'simulated: the credentials have expired');
      case 'drop-request':
        return timeout('request was lost');
      case 'drop-response':
        await effect();
        return timeout('answer was lost');
      case 'land-late':
        void worldClock.sleep(fault.ms).then(effect);
        return timeout('request is late');
      case 'slow': {
        const result = await effect();
        await clock.sleep(fault.ms);
        return result;
      }
    }
  };
  return {
    insert: (leaseKey, item) => run(strike('insert'), () => table.insert(leaseKey, item)),
    update: (write) => run(strike('update', write), () => table.update(write)),
    remove: (write) => run(strike('remove', write), () => table.remove(write)),
    get: (leaseKey) => run(strike('get'), () => table.get(leaseKey)),
    ownedBy: (worker) => run(strike('ownedBy'), () => table.ownedBy(worker)),
    pulses: (incarnation) => run(strike('pulses'), () => table.pulses(incarnation)),
    scan: async function* (segment) {
      await run(strike('scan'), async () => {});
      yield* table.scan(segment);
    },
    fault: (rule) => {
      const live = { rule, left: rule.times ?? Number.POSITIVE_INFINITY };
      rules = [...rules, live];
      return () => {
        rules = rules.filter((other) => other !== live);
      };
    },
  };
}
