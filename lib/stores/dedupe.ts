import { createHash } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { type Item, sendOptions, type TablePort } from './batches.ts';
import { inChunks } from './in-flight.ts';
import { type Position, positionKey } from './position-key.ts';
import { type KeyRange, queryItems } from './query-items.ts';

/** An event id that was routed, and when its record arrived. `hash` as `hashId` makes it. */
export interface RoutedId {
  readonly hash: string;
  readonly arrivedAtMs: number;
}

/** 128 bits of SHA-256 as a text of 16 one-byte characters: half the memory of hex for millions of ids. */
export function hashId(id: string): string {
  return createHash('sha256').update(id).digest().toString('latin1', 0, hashBytes);
}

/**
 * Table `dedupe`: hash `shard` (`stream/shard`), range `last_position`: where the chunk was flushed, zero-padded so
 * that texts sort as positions do, and the number of the part. `ids`: per id 16 bytes of hash and 4 bytes of arrival
 * after `arrived_first` (ms). A chunk holds ids of the records up to its position and is never wrong for any owner,
 * so writing it again, or late by an older owner, does no harm.
 */
export interface DedupeStore {
  readonly write: (chunk: DedupeChunk, signal?: AbortSignal) => Promise<void>;
  /**
   * In order of their chunks, ids of at least the last `horizonMs` (by arrival) of what was flushed up to `upTo`;
   * undefined: of all, for a shard that has ended.
   */
  readonly load: (
    shard: string,
    range: { readonly upTo?: Position; readonly horizonMs: number },
    signal?: AbortSignal,
  ) => Promise<readonly RoutedId[]>;
}

export interface DedupeChunk {
  readonly shard: string;
  readonly upTo: Position;
  readonly ids: readonly RoutedId[];
}

const hashBytes = 16;
const idBytes = hashBytes + 4;
/** 300 KB of ids: an item ends at 400 KB. */
const idsPerItemMax = 15_000;
/** What 4 bytes can say, ms; later arrivals go to the next item. */
const arrivalSpanMsMax = 0xffff_ffff;
/** Arrival times of a shard may run back by clock skew between Kinesis' hosts; far more than was ever seen. */
export const arrivalSkewMs = 300_000;
/**
 * A worker that was down for days still needs the chunks before its checkpoint. Beyond this the records themselves
 * are gone: the retention of our streams is shorter.
 */
const keptSeconds = 30 * 86_400;

export function createDedupeStore(port: TablePort): DedupeStore {
  return {
    write: async ({ shard, upTo, ids }, signal) => {
      const expires_at = Math.floor(port.clock.now() / 1_000) + keptSeconds;
      for (const [part, group] of partsOf(ids).entries()) {
        const last_position = `${positionKey(upTo)}#${String(part).padStart(4, '0')}`;
        const Item = { shard, last_position, expires_at, ...packIds(group) };
        await port.client.send(new PutCommand({ TableName: port.table, Item }), sendOptions(signal));
      }
    },
    load: async (shard, { upTo, horizonMs }, signal) => {
      const chunks: (readonly RoutedId[])[] = [];
      let newestMs: number | undefined;
      for await (const item of queryItems(port, chunksUpTo(shard, upTo), signal)) {
        const arrivedLastMs = Number(item['arrived_last']);
        newestMs ??= arrivedLastMs;
        if (arrivedLastMs < newestMs - horizonMs - arrivalSkewMs) break;
        chunks.push(unpackIds(item));
      }
      return chunks.reverse().flat();
    },
  };
}

/** Newest first. `~` sorts behind every part number of the position. */
function chunksUpTo(shard: string, upTo: Position | undefined): KeyRange {
  const high = upTo === undefined ? '~' : `${positionKey(upTo)}#~`;
  return { hash: ['shard', shard], range: 'last_position', low: '0', high, descending: true };
}

function partsOf(ids: readonly RoutedId[]): readonly (readonly RoutedId[])[] {
  return inChunks(ids, idsPerItemMax).flatMap((chunk) => splitBySpan(chunk));
}

function splitBySpan(ids: readonly RoutedId[]): readonly (readonly RoutedId[])[] {
  const { first, last } = spanOf(ids);
  if (last - first <= arrivalSpanMsMax) return [ids];
  const middle = ids.length >> 1;
  return [...splitBySpan(ids.slice(0, middle)), ...splitBySpan(ids.slice(middle))];
}

function spanOf(ids: readonly RoutedId[]): { readonly first: number; readonly last: number } {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { arrivedAtMs } of ids) {
    if (arrivedAtMs < first) first = arrivedAtMs;
    if (arrivedAtMs > last) last = arrivedAtMs;
  }
  return { first, last };
}

function packIds(ids: readonly RoutedId[]): Item {
  const { first, last } = spanOf(ids);
  const packed = Buffer.alloc(ids.length * idBytes);
  for (const [index, { hash, arrivedAtMs }] of ids.entries()) {
    packed.write(hash, index * idBytes, 'latin1');
    packed.writeUInt32BE(arrivedAtMs - first, index * idBytes + hashBytes);
  }
  return { ids: packed, arrived_first: first, arrived_last: last };
}

function unpackIds(item: Item): readonly RoutedId[] {
  const bytes = item['ids'] as Uint8Array;
  const packed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = Number(item['arrived_first']);
  return Array.from({ length: packed.length / idBytes }, (_, index) => ({
    hash: packed.toString('latin1', index * idBytes, index * idBytes + hashBytes),
    arrivedAtMs: first + packed.readUInt32BE(index * idBytes + hashBytes),
  }));
}
