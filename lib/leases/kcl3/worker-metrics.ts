import type { Item } from '../lease-item.ts';

/**
 * What a worker of KCL 3 publishes of itself each 30 s, as far as it matters here. Attribute names are the Java KCL's
 * (3.5): `lut`, `properties`.
 */
export interface WorkerMetrics {
  readonly worker: string;
  /** By that worker's wall clock, epoch seconds. */
  readonly updatedAtSeconds: number;
  /** True where a worker of this library has written it. */
  readonly ours: boolean;
}

/** In the item's `properties`, which KCL keeps and does not read. */
export const ourProperties = { library: 'weir' } as const;

/** `key` names the worker: `leaseKey` in the lease table, `wid` in the table of its own that KCL 3.0 to 3.4 keep. */
export function parseWorkerMetrics(item: Item, key: 'leaseKey' | 'wid'): WorkerMetrics | undefined {
  const { [key]: worker, lut, properties } = item;
  if (typeof worker !== 'string' || typeof lut !== 'number') return undefined;
  const ours =
    typeof properties === 'object' &&
    properties !== null &&
    'library' in properties &&
    properties.library === ourProperties.library;
  return { worker, updatedAtSeconds: lut, ours };
}
