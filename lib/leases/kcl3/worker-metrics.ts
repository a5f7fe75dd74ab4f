import type { Item } from '../lease-item.ts';
import { metricsEntity, type Place, workerKey } from './kcl-tables.ts';

/** KCL publishes so often, and takes for dead who has missed it twice. Source: LeaseManagementConfig (3.5). */
export const metricsMs = 30_000;
export const metricsStaleMs = 2 * metricsMs;

/** What a worker of KCL 3 publishes of itself, as far as it matters here. */
export interface WorkerMetrics {
  readonly worker: string;
  /** By that worker's wall clock, epoch seconds. */
  readonly updatedAtSeconds: number;
  /** True where a worker of this library has written it. */
  readonly ours: boolean;
}

/** In the item's `properties`, which KCL keeps and does not read. */
const ourProperties = { library: 'weir' };

/**
 * The item that a Java leader wants to see of each worker. Names and types are the Java KCL's (3.5.1): `lut` in epoch
 * seconds; empty `sts` and `opr` stand for "balance me by throughput"; `sup` 1 and `slu` say that this worker follows a
 * fleet that moves everything into the lease table, which it does (fleet-mode.ts).
 */
export function formatWorkerMetrics(place: Place, worker: string, wallMs: number): Item {
  const seconds = Math.floor(wallMs / 1_000);
  return {
    [workerKey[place]]: worker,
    entityType: metricsEntity,
    lut: seconds,
    sts: {},
    opr: {},
    properties: ourProperties,
    sup: 1,
    slu: seconds,
  };
}

/** Undefined where the item is something else, or damaged. */
export function parseWorkerMetrics(place: Place, item: Item): WorkerMetrics | undefined {
  const { [workerKey[place]]: worker, lut, properties } = item;
  if (typeof worker !== 'string' || typeof lut !== 'number') return undefined;
  const ours =
    typeof properties === 'object' &&
    properties !== null &&
    'library' in properties &&
    properties.library === ourProperties.library;
  return { worker, updatedAtSeconds: lut, ours };
}
