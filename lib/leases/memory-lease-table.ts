import type { Item } from './lease-item.ts';
import { LeaseStoreError, type LeaseStore } from './lease-store.ts';
import { applied, fits } from './lease-writes.ts';
import { createLeaseStore, type LeaseTable, type TableOutcome } from './table-lease-store.ts';

/** A lease table in memory: for tests of whatever consumes streams, and for the simulation. */
export interface MemoryLeaseTable extends LeaseTable {
  /** The items as they stand, for looking at and for damaging them. */
  readonly items: Map<string, Item>;
  /** The table is gone: every operation fails with `lease-table-missing`. */
  readonly drop: () => void;
  readonly restore: () => void;
}

export function createMemoryLeaseTable(): MemoryLeaseTable {
  const items = new Map<string, Item>();
  let dropped = false;
  const present = (): Map<string, Item> => {
    if (dropped) throw new LeaseStoreError('lease-table-missing', 'The lease table in memory was dropped');
    return items;
  };
  return {
    items,
    drop: () => {
      dropped = true;
      items.clear();
    },
    restore: () => {
      dropped = false;
    },
    insert: async (leaseKey, item) => {
      const there = present().get(leaseKey);
      if (there !== undefined) return { done: false, item: there };
      items.set(leaseKey, item);
      return { done: true, item };
    },
    update: async (write) => {
      const there = present().get(write.leaseKey);
      if (there === undefined || !fits(there, write.expect)) return { done: false, item: there };
      const item = applied(there, write);
      items.set(write.leaseKey, item);
      return { done: true, item };
    },
    remove: async (write): Promise<TableOutcome> => {
      const there = present().get(write.leaseKey);
      if (there === undefined || !fits(there, write.expect)) return { done: false, item: there };
      items.delete(write.leaseKey);
      return { done: true, item: there };
    },
    get: async (leaseKey) => present().get(leaseKey),
    scan: async function* ({ n, of }) {
      yield [...present().values()].filter((_, index) => index % of === n);
    },
    ownedBy: async (worker) =>
      [...present()].filter(([, item]) => item.leaseOwner === worker).map(([leaseKey]) => leaseKey),
    pulses: async (incarnation) =>
      [...present().values()].filter(
        ({ pulse }) => pulse !== undefined && (incarnation === undefined || pulse === incarnation),
      ),
  };
}

export function createMemoryLeaseStore(): LeaseStore & { readonly table: MemoryLeaseTable } {
  const table = createMemoryLeaseTable();
  return { ...createLeaseStore(table), table };
}
