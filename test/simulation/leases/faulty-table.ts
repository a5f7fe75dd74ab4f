import { LeaseStoreError } from '../../../lib/leases/lease-store.ts';
import type { Item } from '../../../lib/leases/lease-item.ts';
import type { LeaseTable } from '../../../lib/leases/table-lease-store.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';

/** Chances of what happens to a call, each in [0, 1]. */
export interface Weather {
  readonly dropRequest: number;
  readonly dropResponse: number;
  /** The request is carried out long after its sender has given up on it. */
  readonly late: number;
  readonly throttle: number;
  readonly slow: number;
}

export const fairWeather: Weather = { dropRequest: 0, dropResponse: 0, late: 0, throttle: 0, slow: 0.1 };

export interface Line {
  /** The process's own clock: a frozen process gets no answers. */
  readonly own: Clock;
  /** The world's clock: what was sent arrives, whatever becomes of its sender. */
  readonly world: Clock;
  readonly random: () => number;
  readonly weather: () => Weather;
  readonly cut: () => boolean;
}

const requestMs = 1_500;
const lateMs = 8_000;

/** The way from one process to the table: calls may be lost, late, slow or refused on it. */
export function faultyTable(table: LeaseTable, line: Line): LeaseTable {
  const timeout = async (what: string): Promise<never> => {
    await line.own.sleep(requestMs);
    throw new LeaseStoreError('lease-table-unavailable', `simulated: ${what}`);
  };
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    const { dropRequest, dropResponse, late, throttle, slow } = line.weather();
    let chance = line.random();
    const strikes = (p: number): boolean => {
      chance -= p;
      return chance < 0;
    };
    if (line.cut() || strikes(dropRequest)) return timeout('request dropped');
    if (strikes(dropResponse)) {
      await work();
      return timeout('response dropped');
    }
    if (strikes(late)) {
      void line.world.sleep(line.random() * lateMs).then(work);
      return timeout('request late');
    }
    if (strikes(throttle)) throw new LeaseStoreError('lease-table-throttled', 'simulated: throttled');
    if (!strikes(slow)) return work();
    await line.world.sleep(line.random() * 300);
    const result = await work();
    await line.own.sleep(line.random() * 300);
    return result;
  };
  return {
    insert: (leaseKey, item) => call(() => table.insert(leaseKey, item)),
    update: (write) => call(() => table.update(write)),
    remove: (write) => call(() => table.remove(write)),
    get: (leaseKey) => call(() => table.get(leaseKey)),
    ownedBy: (worker) => call(() => table.ownedBy(worker)),
    pulses: (incarnation) => call(() => table.pulses(incarnation)),
    scan: async function* (segment) {
      const pages = await call(() => collect(table.scan(segment)));
      yield* pages;
    },
  };
}

async function collect(pages: AsyncIterable<readonly Item[]>): Promise<readonly (readonly Item[])[]> {
  const all: (readonly Item[])[] = [];
  for await (const page of pages) all.push(page);
  return all;
}
