import type { PutEntry } from './kinesis.ts';

/** Per PutRecords call (API reference). */
export const batchRecordsMax = 500;
/** Per PutRecords call, data and partition keys; one record that is larger goes alone. */
export const batchBytesMax = 5 * 1_048_576;

/** What a record counts for against the limits: its data and its partition key. */
export function entryBytes(entry: PutEntry): number {
  return entry.data.length + Buffer.byteLength(entry.partitionKey, 'utf8');
}
