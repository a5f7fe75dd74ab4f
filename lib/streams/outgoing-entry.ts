import { messageOf } from '../runtime/errors.ts';
import { maxHashKey } from './hash-key.ts';
import type { PutEntry } from './kinesis.ts';
import { entryBytes } from './put-batches.ts';
import type { RefusedRecord } from './put-failed.ts';
import type { OutgoingRecord } from './writer.ts';

/** Why a record can never be put, whatever the state of the stream. */
export const flawCodes: ReadonlySet<string> = new Set(['bad-key', 'record-too-large', 'not-encodable']);

/** What is put for a record, or why it never can be. */
export function makeEntry(
  record: OutgoingRecord,
  stamp: string,
  recordBytes: number,
): { readonly entry: PutEntry } | { readonly flaw: RefusedRecord } {
  const { partitionKey, explicitHashKey } = record;
  const keyFlaw = flawOfKey(partitionKey, explicitHashKey);
  if (keyFlaw) return { flaw: { ok: false, code: 'bad-key', message: keyFlaw } };
  try {
    const data = record.encode(stamp);
    const entry = { partitionKey, data, ...(explicitHashKey !== undefined && { explicitHashKey }) };
    const bytes = entryBytes(entry);
    if (bytes <= recordBytes) return { entry };
    const message = `${bytes} bytes with its partition key, the stream takes ${recordBytes}`;
    return { flaw: { ok: false, code: 'record-too-large', message } };
  } catch (error) {
    return { flaw: { ok: false, code: 'not-encodable', message: messageOf(error) } };
  }
}

/** One bad key would have the service refuse the whole call (limits: API reference, PutRecordsRequestEntry). */
function flawOfKey(partitionKey: string, explicitHashKey: string | undefined): string | undefined {
  if (!/^.{1,256}$/su.test(partitionKey))
    return `"${partitionKey.slice(0, 80)}" is no partition key: give 1 … 256 characters`;
  if (explicitHashKey === undefined) return undefined;
  const fits = /^(0|[1-9]\d{0,38})$/.test(explicitHashKey) && BigInt(explicitHashKey) <= maxHashKey;
  return fits ? undefined : `"${explicitHashKey}" is not a hash key: give 0 … 2^128 − 1`;
}
