import type { Item } from '../../lib/leases/lease-item.ts';
import { LeaseStoreError } from '../../lib/leases/lease-store.ts';
import type { LeaseTable, TableOutcome } from '../../lib/leases/table-lease-store.ts';
import { faultyLine, type Line, requestMs } from './faulty-line.ts';

export interface TableLine extends Line {
  /** A write that this process sent at `sentMs` (its own monotonic clock) has landed, known to it or not. */
  readonly onLanded: (leaseKey: string, sentMs: number) => void;
  /** The part of the table where this item lies is out of reach, for this process. */
  readonly lacks: (leaseKey: string) => boolean;
}

/** The way from one process to the lease table. */
export function faultyTable(table: LeaseTable, line: TableLine): LeaseTable {
  const call = faultyLine(line, {
    unreachable: (what) => new LeaseStoreError('lease-table-unavailable', what),
    throttled: () => new LeaseStoreError('lease-table-throttled', 'simulated: throttled'),
  });
  const callItem = async <T>(leaseKey: string, work: () => Promise<T>): Promise<T> => {
    if (!line.lacks(leaseKey)) return call(work);
    await line.own.sleep(requestMs);
    throw new LeaseStoreError('lease-table-unavailable', `simulated: ${leaseKey} out of reach`);
  };
  const write = (leaseKey: string, work: () => Promise<TableOutcome>): Promise<TableOutcome> => {
    const sentMs = line.own.monotonic();
    return callItem(leaseKey, async () => {
      const outcome = await work();
      if (outcome.done) line.onLanded(leaseKey, sentMs);
      return outcome;
    });
  };
  return {
    insert: (leaseKey, item) => write(leaseKey, () => table.insert(leaseKey, item)),
    update: (update) => write(update.leaseKey, () => table.update(update)),
    remove: (removal) => callItem(removal.leaseKey, () => table.remove(removal)),
    get: (leaseKey) => callItem(leaseKey, () => table.get(leaseKey)),
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
