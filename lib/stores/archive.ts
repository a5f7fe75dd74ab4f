import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { PlatformError } from '../runtime/errors.ts';
import {
  type ArchiveRange,
  type Manifest,
  type ManifestObject,
  manifestBytes,
  manifestKey,
  objectKey,
  type Partition,
} from './archive-layout.ts';
import { gzipLarge } from './gzip.ts';
import { addDigests, digestText } from './id-digest.ts';
import { inFlight } from './in-flight.ts';
import { type Objects, sha256 } from './objects.ts';
import { positionText } from './position-key.ts';

/** The lines of one partition of a range, in stream order. */
export interface PartitionLines extends Partition {
  /** Each ends with a line feed. */
  readonly lines: readonly Uint8Array[];
  readonly digest: bigint;
}

export interface WrittenRange {
  readonly manifest: Manifest;
  readonly key: string;
  /** Of the manifest's bytes: `previous` of the next range. */
  readonly sha256: string;
}

/** Compressing and sending; each holds its partition twice. */
const objectsInFlightMax = 4;

/**
 * Writes the objects of a range, then its manifest. Idempotent: what exists is compared, never overwritten.
 * @throws PlatformError `archive-conflict` when something else lies under one of the keys
 */
export async function writeRange(
  objects: Objects,
  range: ArchiveRange,
  partitions: readonly PartitionLines[],
  signal?: AbortSignal,
): Promise<WrittenRange> {
  const sorted = [...partitions].sort((a, b) => (objectKey(range, a) < objectKey(range, b) ? -1 : 1));
  const written = await inFlight(sorted, objectsInFlightMax, (lines) =>
    writePartition(objects, range, lines, signal),
  );
  const manifest: Manifest = {
    version: 1,
    stream: range.stream,
    shard: range.shard,
    number: range.number,
    after: range.after,
    first: positionText(range.first),
    last: positionText(range.last),
    up_to: positionText(range.upTo),
    events: written.reduce((sum, object) => sum + object.events, 0),
    digest: digestText(partitions.reduce((sum, { digest }) => addDigests(sum, digest), 0n)),
    objects: written,
    previous: range.previous,
  };
  const key = manifestKey(range);
  const bytes = manifestBytes(manifest);
  const created = await objects.create({ key, bytes, contentType: 'application/json' }, signal);
  if (created === 'exists') {
    const stored = await objects.get(key, signal);
    if (stored === undefined || !Buffer.from(stored).equals(bytes)) throw conflict(key);
  }
  return { manifest, key, sha256: sha256(bytes) };
}

async function writePartition(
  objects: Objects,
  range: ArchiveRange,
  { lines, digest, ...partition }: PartitionLines,
  signal?: AbortSignal,
): Promise<ManifestObject> {
  const key = objectKey(range, partition);
  const content = Buffer.concat(lines);
  const packed = await gzipLarge(content);
  const created = await objects.create({ key, bytes: packed, contentType: 'application/gzip' }, signal);
  const bytes = created === 'created' ? packed : await sameContent(objects, key, content, packed, signal);
  return {
    key,
    event_type: partition.eventType,
    date: partition.date,
    events: lines.length,
    digest: digestText(digest),
    bytes: bytes.length,
    sha256: sha256(bytes),
  };
}

/** The bytes as stored. They may differ from ours where another version of zlib packed the same content. */
async function sameContent(
  objects: Objects,
  key: string,
  content: Uint8Array,
  packed: Uint8Array,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const stored = await objects.get(key, signal);
  if (stored === undefined) throw conflict(key);
  if (Buffer.from(stored).equals(packed)) return stored;
  const unpacked = await gunzipAsync(stored);
  if (!unpacked.equals(content)) throw conflict(key);
  return stored;
}

const gunzipAsync = promisify<Uint8Array, Buffer>(gunzip);

function conflict(key: string): PlatformError {
  return new PlatformError(
    'archive-conflict',
    `Under ${key} lies something else than this range: run "weir archive verify", then move it away`,
  );
}

/** A name for the range that is the same for every writer. */
export function rangeId({ stream, shard, first }: ArchiveRange): string {
  return createHash('sha256').update(manifestKey({ stream, shard, first })).digest('hex').slice(0, 32);
}
