import { hashKeyOf, maxHashKey } from './hash-key.ts';
import { KinesisError } from './kinesis-error.ts';
import type { ChildShard, PutEntry, RawRecord, ReadFrom, Shard, ShardFilter } from './kinesis.ts';

/** Real sequence numbers have 56 digits and leave gaps; so do these, lest a reader counts on neighbours. */
const firstSequenceOfStream = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n;
const sequenceGap = 16n;
const hourMs = 3_600_000;
/** GetRecords stops at 10 MiB (API reference). */
const pageBytesMax = 10 * 1_048_576;

interface MemoryShard {
  readonly shardId: string;
  readonly parents: readonly string[];
  readonly startingHashKey: bigint;
  readonly endingHashKey: bigint;
  readonly firstSequence: bigint;
  readonly createdAtMs: number;
  readonly records: RawRecord[];
  closed?: { readonly lastSequence: bigint; readonly atMs: number };
}

/** Records of a shard from a place on, and the place after them. */
export interface Slice {
  readonly records: readonly RawRecord[];
  /** Undefined at the end of a closed shard. */
  readonly next: bigint | undefined;
  readonly millisBehindLatest: number;
  readonly childShards: readonly ChildShard[];
}

/** The shards and records of one stream in memory. Time comes in as a number; nothing here waits. */
export class MemoryStream {
  readonly name: string;
  readonly createdAtMs: number;
  retentionHours: number;
  readonly #shards = new Map<string, MemoryShard>();
  #shardsEver = 0;
  #nextSequence = firstSequenceOfStream;

  constructor(name: string, shards: number, retentionHours: number, nowMs: number) {
    this.name = name;
    this.createdAtMs = nowMs;
    this.retentionHours = retentionHours;
    const width = (maxHashKey + 1n) / BigInt(shards);
    for (let index = 0; index < shards; index += 1) {
      const start = width * BigInt(index);
      this.#addShard([], start, index === shards - 1 ? maxHashKey : start + width - 1n, nowMs);
    }
  }

  openShards(): number {
    return [...this.#shards.values()].filter((shard) => !shard.closed).length;
  }

  listShards(filter: ShardFilter | undefined, nowMs: number): readonly Shard[] {
    this.#forget(nowMs);
    const wanted = shardTest(filter, this.#horizonMs(nowMs));
    return [...this.#shards.values()].filter(wanted).map(describeShard);
  }

  append(entry: PutEntry, nowMs: number): { readonly shardId: string; readonly sequenceNumber: string } {
    const shard = this.#openShardFor(hashKeyOf(entry.partitionKey, entry.explicitHashKey));
    const sequenceNumber = this.#takeSequence().toString();
    shard.records.push({
      sequenceNumber,
      partitionKey: entry.partitionKey,
      data: entry.data.slice(),
      arrivedAtMs: nowMs,
    });
    return { shardId: shard.shardId, sequenceNumber };
  }

  /** The place that reading `from` there begins at: the smallest sequence number it may deliver. */
  place(shardId: string, from: ReadFrom, nowMs: number): bigint {
    const shard = this.#shard(shardId);
    switch (from.type) {
      case 'TRIM_HORIZON':
        return shard.firstSequence + 1n;
      case 'LATEST':
        return this.#nextSequence;
      case 'AT_TIMESTAMP': {
        if (from.timestampMs > nowMs) {
          throw new KinesisError('invalid-position', `The time ${from.timestampMs} lies in the future`);
        }
        const found = shard.records.find((record) => record.arrivedAtMs >= from.timestampMs);
        return found ? BigInt(found.sequenceNumber) : this.#nextSequence;
      }
      case 'AT_SEQUENCE_NUMBER':
        return this.#known(shard, from.sequenceNumber);
      case 'AFTER_SEQUENCE_NUMBER':
        return this.#known(shard, from.sequenceNumber) + 1n;
    }
  }

  slice(shardId: string, place: bigint, limit: number, nowMs: number): Slice {
    const shard = this.#shard(shardId);
    this.#trimExpired(shard, nowMs);
    const from = firstAtOrAfter(shard.records, place);
    const records = page(shard.records, from, limit);
    const last = records.at(-1);
    const waiting = shard.records.length > from + records.length;
    const reached = last ? BigInt(last.sequenceNumber) + 1n : place;
    const ended = !waiting && shard.closed !== undefined;
    return {
      records,
      next: ended ? undefined : reached,
      millisBehindLatest: waiting && last ? Math.max(1, nowMs - last.arrivedAtMs) : 0,
      childShards: ended ? this.#childrenOf(shardId) : [],
    };
  }

  recordsOf(shardId: string): readonly RawRecord[] {
    return [...this.#shard(shardId).records];
  }

  /** `at`: the first hash key of the second child; the middle of the range by default. */
  split(shardId: string, at: bigint | undefined, nowMs: number): readonly string[] {
    const { startingHashKey: start, endingHashKey: end } = this.#close(shardId, nowMs);
    const middle = at ?? start + (end - start) / 2n + 1n;
    if (middle <= start || middle > end) {
      throw new KinesisError('invalid-argument', `${middle} does not lie inside the range of ${shardId}`);
    }
    return [
      this.#addShard([shardId], start, middle - 1n, nowMs),
      this.#addShard([shardId], middle, end, nowMs),
    ];
  }

  merge(shardId: string, adjacentShardId: string, nowMs: number): string {
    const a = this.#shard(shardId);
    const b = this.#shard(adjacentShardId);
    const [low, high] = a.startingHashKey < b.startingHashKey ? [a, b] : [b, a];
    if (low.endingHashKey + 1n !== high.startingHashKey) {
      throw new KinesisError('invalid-argument', `${shardId} and ${adjacentShardId} are not adjacent`);
    }
    this.#close(shardId, nowMs);
    this.#close(adjacentShardId, nowMs);
    return this.#addShard([shardId, adjacentShardId], low.startingHashKey, high.endingHashKey, nowMs);
  }

  trim(shardId: string, beforeSequence: string): void {
    const { records } = this.#shard(shardId);
    records.splice(0, firstAtOrAfter(records, BigInt(beforeSequence)));
  }

  #addShard(parents: readonly string[], start: bigint, end: bigint, nowMs: number): string {
    const shardId = `shardId-${String(this.#shardsEver).padStart(12, '0')}`;
    this.#shardsEver += 1;
    this.#shards.set(shardId, {
      shardId,
      parents,
      startingHashKey: start,
      endingHashKey: end,
      firstSequence: this.#takeSequence(),
      createdAtMs: nowMs,
      records: [],
    });
    return shardId;
  }

  #close(shardId: string, nowMs: number): MemoryShard {
    const shard = this.#shard(shardId);
    if (shard.closed) throw new KinesisError('invalid-argument', `${shardId} is closed already`);
    shard.closed = { lastSequence: this.#takeSequence(), atMs: nowMs };
    return shard;
  }

  #takeSequence(): bigint {
    const taken = this.#nextSequence;
    this.#nextSequence += sequenceGap;
    return taken;
  }

  #known(shard: MemoryShard, sequenceNumber: string): bigint {
    const sequence = /^\d{1,60}$/.test(sequenceNumber) ? BigInt(sequenceNumber) : -1n;
    const last = shard.closed?.lastSequence ?? this.#nextSequence - 1n;
    if (sequence < shard.firstSequence || sequence > last) {
      throw new KinesisError('invalid-position', `${sequenceNumber} is not a place in ${shard.shardId}`);
    }
    return sequence;
  }

  #shard(shardId: string): MemoryShard {
    const shard = this.#shards.get(shardId);
    if (!shard) throw new KinesisError('shard-not-found', `Stream ${this.name} has no shard ${shardId}`);
    return shard;
  }

  #openShardFor(hashKey: bigint): MemoryShard {
    for (const shard of this.#shards.values()) {
      if (!shard.closed && hashKey >= shard.startingHashKey && hashKey <= shard.endingHashKey) return shard;
    }
    throw new KinesisError('invalid-argument', `${hashKey} is not a hash key: give 0 … 2^128 − 1`);
  }

  #childrenOf(shardId: string): readonly ChildShard[] {
    return [...this.#shards.values()]
      .filter((shard) => shard.parents.includes(shardId))
      .map((shard) => ({
        shardId: shard.shardId,
        parents: shard.parents,
        startingHashKey: shard.startingHashKey.toString(),
        endingHashKey: shard.endingHashKey.toString(),
      }));
  }

  #horizonMs(nowMs: number): number {
    return Math.max(this.createdAtMs, nowMs - this.retentionHours * hourMs);
  }

  #trimExpired(shard: MemoryShard, nowMs: number): void {
    const horizon = this.#horizonMs(nowMs);
    const kept = shard.records.findIndex((record) => record.arrivedAtMs >= horizon);
    shard.records.splice(0, kept < 0 ? shard.records.length : kept);
  }

  #forget(nowMs: number): void {
    const horizon = this.#horizonMs(nowMs);
    for (const shard of this.#shards.values()) {
      if (shard.closed && shard.closed.atMs < horizon) this.#shards.delete(shard.shardId);
    }
  }
}

function describeShard(shard: MemoryShard): Shard {
  return {
    shardId: shard.shardId,
    parents: shard.parents,
    startingHashKey: shard.startingHashKey.toString(),
    endingHashKey: shard.endingHashKey.toString(),
    startingSequenceNumber: shard.firstSequence.toString(),
    ...(shard.closed && { endingSequenceNumber: shard.closed.lastSequence.toString() }),
  };
}

/** What each filter of ListShards lets through (API reference, ShardFilter). */
function shardTest(filter: ShardFilter | undefined, horizonMs: number): (shard: MemoryShard) => boolean {
  const openSince = (shard: MemoryShard, ms: number): boolean => !shard.closed || shard.closed.atMs >= ms;
  switch (filter?.type) {
    case undefined:
    case 'FROM_TRIM_HORIZON':
      return () => true;
    case 'AT_LATEST':
      return (shard) => !shard.closed;
    case 'AT_TRIM_HORIZON':
      return (shard) => shard.createdAtMs <= horizonMs && openSince(shard, horizonMs);
    case 'AT_TIMESTAMP':
      return (shard) => shard.createdAtMs <= filter.timestampMs && openSince(shard, filter.timestampMs);
    case 'FROM_TIMESTAMP':
      return (shard) => openSince(shard, Math.max(horizonMs, filter.timestampMs));
    case 'AFTER_SHARD_ID':
      return (shard) => shard.shardId > filter.shardId;
  }
}

function firstAtOrAfter(records: readonly RawRecord[], place: bigint): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const record = records[middle];
    if (record && BigInt(record.sequenceNumber) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

function page(records: readonly RawRecord[], from: number, limit: number): readonly RawRecord[] {
  const taken: RawRecord[] = [];
  let bytes = 0;
  for (let index = from; index < records.length && taken.length < limit; index += 1) {
    const record = records[index];
    if (!record) break;
    bytes += record.data.length + Buffer.byteLength(record.partitionKey);
    if (bytes > pageBytesMax && taken.length > 0) break;
    taken.push(record);
  }
  return taken;
}
