import { createHash } from 'node:crypto';
import { type Position, positionKey, positionText } from './position-key.ts';

/**
 * The lake's bucket:
 *
 * | key | what |
 * |-----|------|
 * | `archive/event_type=<type>/date=<day>/<stream>-<shard>-<first>-<last>.json.gz` | events of one range and type, one JSON text per line, gzip |
 * | `manifests/<stream>/<shard>/<first>.json` | what a range holds and where; chained by hash |
 *
 * `event_type` is URL-encoded, as Hive, Glue and Athena read partition values (a very long one is its hash). `date` is the day of arrival on the
 * stream (UTC) and not of the event, so that a range makes one or two days' objects however far its event times
 * are spread; queries by event time use `created_datetime`. `first` and `last`: the range's first and last event.
 */
export const archivePrefix = 'archive/';
export const manifestPrefix = 'manifests/';

/** One shard's records from `after` (exclusive) to `upTo` (inclusive), of which at least one is an event. */
export interface ArchiveRange {
  readonly stream: string;
  readonly shard: string;
  /** From 1, without gaps. */
  readonly number: number;
  /** Where the range before ended; null for a shard's first. */
  readonly after: string | null;
  readonly first: Position;
  readonly last: Position;
  readonly upTo: Position;
  /** SHA-256 (hex) of the manifest before; null for a shard's first. */
  readonly previous: string | null;
}

export interface Partition {
  readonly eventType: string;
  readonly date: string;
}

/** No clock and nothing of the writer is in it, so every writer makes the same bytes. */
export interface Manifest {
  readonly version: 1;
  readonly stream: string;
  readonly shard: string;
  readonly number: number;
  readonly after: string | null;
  readonly first: string;
  readonly last: string;
  readonly up_to: string;
  readonly events: number;
  /** Sum mod 2^128 of the first 16 bytes of SHA-256(event id), hex. */
  readonly digest: string;
  readonly objects: readonly ManifestObject[];
  readonly previous: string | null;
}

export interface ManifestObject {
  readonly key: string;
  readonly event_type: string;
  readonly date: string;
  readonly events: number;
  readonly digest: string;
  /** As stored, compressed. */
  readonly bytes: number;
  /** Of the bytes as stored, hex. */
  readonly sha256: string;
}

export function objectKey(
  { stream, shard, first, last }: ArchiveRange,
  { eventType, date }: Partition,
): string {
  const name = `${stream}-${shard}-${positionText(first)}-${positionText(last)}.json.gz`;
  return `${archivePrefix}event_type=${partitionValue(eventType)}/date=${date}/${name}`;
}

/** A key has at most 1,024 bytes, and a file name, where a bucket is a folder, 255. */
const partitionBytesMax = 200;

function partitionValue(eventType: string): string {
  const encoded = encodeURIComponent(eventType);
  if (encoded.length <= partitionBytesMax) return encoded;
  return `sha256-${createHash('sha256').update(eventType).digest('hex')}`;
}

/** The first position is zero-padded, so that a listing is in order of the ranges. */
export function manifestKey(range: Pick<ArchiveRange, 'stream' | 'shard' | 'first'>): string {
  return `${manifestPrefix}${range.stream}/${range.shard}/${positionKey(range.first)}.json`;
}

export function manifestBytes(manifest: Manifest): Uint8Array {
  return Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
}
