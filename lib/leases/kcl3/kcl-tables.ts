import { PlatformError } from '../../runtime/errors.ts';
import type { Item } from '../lease-item.ts';

/**
 * Where a KCL 3 fleet keeps what is no lease. Since 3.5: in the lease table, under `leaseKey`. Before: in two tables of
 * its own, `<application>-CoordinatorState` under `key` and `<application>-WorkerMetricStats` under `wid`. A fleet on
 * its way from the old to the new place has both.
 */
export type Place = 'lease-table' | 'legacy-tables';

/** Names of the items that say how the fleet stands. Source: MigrationState, LeaderLock, TableMigrationState (3.5). */
export type StateKey = 'Migration3.0' | 'Leader' | 'TableMigration3.5';

/**
 * What KCL 3 keeps beside the leases. Every call rejects with a LeaseStoreError; that an old table does not exist is an
 * answer. Adapters: memory-kcl-tables.ts and dynamo-kcl-tables.ts; both pass test/contract/kcl-tables.ts.
 */
export interface KclTables {
  /** Strongly consistent. `no-table`: the fleet does not keep such things there. */
  readonly state: (place: Place, key: StateKey) => Promise<Item | 'no-table' | undefined>;
  /** What one worker has published. */
  readonly metricsOf: (place: Place, worker: string) => Promise<Item | undefined>;
  /** What all workers have published in the old place; eventually consistent. In the lease table a survey finds it. */
  readonly legacyMetrics: () => Promise<readonly Item[]>;
  /** Replaces what this worker has published. Never a lease: rejects where its id is the key of one. */
  readonly publish: (place: Place, worker: string, metrics: Item) => Promise<void>;
  readonly withdraw: (place: Place, worker: string) => Promise<void>;
}

/** The attribute that names the worker of published metrics. */
export const workerKey = { 'lease-table': 'leaseKey', 'legacy-tables': 'wid' } as const;

export const metricsEntity = 'WORKER_METRIC_STATS';

/** For the adapters. */
export function idTaken(worker: string): PlatformError {
  return new PlatformError(
    'worker-id-taken',
    `The worker id "${worker}" is the key of a lease: give another`,
  );
}
