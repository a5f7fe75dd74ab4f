import type { PutEntry } from './kinesis.ts';

/** Per PutRecords call (API reference). */
export const batchRecordsMax = 500;
/** Per PutRecords call, data and partition keys together; a single record that is larger goes alone. */
export const batchBytesMax = 5 * 1_048_576;

/** What a record counts for against the limits: its data and its partition key. */
export function entryBytes(entry: PutEntry): number {
  return entry.data.length + Buffer.byteLength(entry.partitionKey, 'utf8');
}

export interface BatchLimits {
  readonly batchRecords: number;
  readonly batchBytes: number;
}

/** A record in the queue of a writer; the queue is in the order in which records were given. */
export interface Waiting {
  readonly key: string;
  /** Not to be sent before this time, nor any later one of its key: it waits for its next try. 0: at once. */
  readonly notBeforeMs: number;
}

export interface Batch<T> {
  readonly taken: readonly T[];
  /** Where nothing can be taken: when the first of the waiting ones may go. */
  readonly dueAtMs: number | undefined;
}

/**
 * The next call's records: the longest run from the head of the queue that the limits allow, leaving out records
 * that wait for a retry and whatever follows them under the same key. `bytesOf` is asked once per candidate, in order.
 */
export function nextBatch<T extends Waiting>(
  queue: readonly T[],
  nowMs: number,
  limits: BatchLimits,
  bytesOf: (record: T) => number,
): Batch<T> {
  const taken: T[] = [];
  const heldKeys = new Set<string>();
  let bytes = 0;
  let dueAtMs: number | undefined;
  for (const record of queue) {
    if (taken.length === limits.batchRecords) break;
    if (heldKeys.has(record.key)) continue;
    if (record.notBeforeMs > nowMs) {
      heldKeys.add(record.key);
      dueAtMs = Math.min(dueAtMs ?? record.notBeforeMs, record.notBeforeMs);
      continue;
    }
    bytes += bytesOf(record);
    // The call ends here and does not skip: order over all keys is kept while nothing fails.
    if (bytes > limits.batchBytes && taken.length > 0) break;
    taken.push(record);
  }
  return { taken, dueAtMs };
}
