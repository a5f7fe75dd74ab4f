import type { Item } from '../lease-item.ts';
import { LeaseStoreError } from '../lease-store.ts';
import type { MemoryLeaseTable } from '../memory-lease-table.ts';
import { idTaken, type KclTables, metricsEntity, type Place } from './kcl-tables.ts';

export interface MemoryKclTables extends KclTables {
  /** The two old tables, for tests; `undefined` while they do not exist. */
  legacy: { readonly state: Map<string, Item>; readonly metrics: Map<string, Item> } | undefined;
}

/** For tests, beside a lease table in memory. */
export function createMemoryKclTables(leases: MemoryLeaseTable): MemoryKclTables {
  const old = (): NonNullable<MemoryKclTables['legacy']> => {
    if (tables.legacy === undefined)
      throw new LeaseStoreError('lease-table-missing', 'The old tables in memory do not exist');
    return tables.legacy;
  };
  /** Where this worker publishes, unless a lease lies there. */
  const own = (place: Place, worker: string): Map<string, Item> => {
    const items = place === 'lease-table' ? leases.items : old().metrics;
    const there = items.get(worker);
    if (place === 'lease-table' && there !== undefined && there.entityType !== metricsEntity)
      throw idTaken(worker);
    return items;
  };
  const tables: MemoryKclTables = {
    legacy: undefined,
    state: async (place, key) => {
      if (place === 'lease-table') return leases.get(key);
      return tables.legacy === undefined ? 'no-table' : tables.legacy.state.get(key);
    },
    metricsOf: async (place, worker) =>
      place === 'lease-table' ? leases.get(worker) : tables.legacy?.metrics.get(worker),
    legacyMetrics: async () => [...old().metrics.values()],
    publish: async (place, worker, metrics) => void own(place, worker).set(worker, metrics),
    withdraw: async (place, worker) => void own(place, worker).delete(worker),
  };
  return tables;
}
