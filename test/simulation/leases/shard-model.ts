import type { Shard } from '../../../lib/streams/kinesis.ts';
import { KinesisError } from '../../../lib/streams/kinesis-error.ts';
import type { ShardLister } from '../../../lib/leases/syncer.ts';
import type { ChildLease } from '../../../lib/leases/held-lease.ts';

const lastHashKey = 2n ** 128n - 1n;

export interface ModelShard {
  readonly shardId: string;
  readonly parents: readonly string[];
  readonly start: bigint;
  readonly end: bigint;
  readonly openedAtMs: number;
  readonly closedAtMs: number | undefined;
}

/** A stream as far as leases need one: a shard's records are numbers that come with time, one each `recordMs`. */
export class ShardModel implements ShardLister {
  readonly #nowMs: () => number;
  readonly #recordMs: number;
  readonly #shards = new Map<string, ModelShard>();

  constructor(nowMs: () => number, shards: number, recordMs: number) {
    this.#nowMs = nowMs;
    this.#recordMs = recordMs;
    const width = (lastHashKey + 1n) / BigInt(shards);
    for (let i = 0n; i < shards; i += 1n) {
      this.#open([], i * width, i + 1n === BigInt(shards) ? lastHashKey : (i + 1n) * width - 1n);
    }
  }

  all(): readonly ModelShard[] {
    return [...this.#shards.values()];
  }

  get(shardId: string): ModelShard {
    const shard = this.#shards.get(shardId);
    if (shard === undefined) throw new Error(`no shard ${shardId}`);
    return shard;
  }

  /** How many records there are by now. */
  count({ openedAtMs, closedAtMs }: ModelShard): number {
    return Math.floor(((closedAtMs ?? this.#nowMs()) - openedAtMs) / this.#recordMs);
  }

  sequenceNumber(shard: ModelShard, index: number): string {
    return String(BigInt(shard.openedAtMs + 1) * 1_000_000n + BigInt(index));
  }

  indexOf(shard: ModelShard, sequenceNumber: string): number {
    return Number(BigInt(sequenceNumber) - BigInt(shard.openedAtMs + 1) * 1_000_000n);
  }

  children(shardId: string): readonly ChildLease[] {
    return this.all()
      .filter((shard) => shard.parents.includes(shardId))
      .map((shard) => ({
        shardId: shard.shardId,
        parents: shard.parents,
        startingHashKey: String(shard.start),
        endingHashKey: String(shard.end),
      }));
  }

  split(shardId: string): void {
    const { start, end } = this.#close(shardId);
    const middle = (start + end) / 2n;
    this.#open([shardId], start, middle);
    this.#open([shardId], middle + 1n, end);
  }

  /** Merges a shard with the open one that follows it, if there is one. */
  merge(shardId: string): void {
    if (this.get(shardId).closedAtMs !== undefined) return;
    const next = this.all().find(
      (shard) => shard.closedAtMs === undefined && shard.start === this.get(shardId).end + 1n,
    );
    if (next === undefined) return;
    this.#open([shardId, next.shardId], this.#close(shardId).start, this.#close(next.shardId).end);
  }

  readonly describe: ShardLister['describe'] = async (name) => ({
    name,
    arn: `arn:aws:kinesis:local:1:stream/${name}`,
    accountId: '000000000001',
    createdAtMs: 0,
    retentionHours: 24,
    status: 'ACTIVE',
    openShards: this.all().filter((shard) => shard.closedAtMs === undefined).length,
    maxRecordBytes: 1_048_576,
    nowMs: this.#nowMs(),
  });

  readonly listShards: ShardLister['listShards'] = async () => {
    if (this.#shards.size === 0) throw new KinesisError('stream-not-found', 'no shards');
    return this.all().map((shard): Shard => {
      const { shardId, parents, start, end, closedAtMs } = shard;
      const startingSequenceNumber = this.sequenceNumber(shard, 0);
      const outline = { shardId, parents, startingHashKey: String(start), endingHashKey: String(end) };
      return closedAtMs === undefined
        ? { ...outline, startingSequenceNumber }
        : { ...outline, startingSequenceNumber, endingSequenceNumber: this.sequenceNumber(shard, 999_999) };
    });
  };

  #open(parents: readonly string[], start: bigint, end: bigint): void {
    const shardId = `shardId-${String(this.#shards.size).padStart(12, '0')}`;
    const openedAtMs = this.#nowMs();
    this.#shards.set(shardId, { shardId, parents, start, end, openedAtMs, closedAtMs: undefined });
  }

  #close(shardId: string): ModelShard {
    const closed = { ...this.get(shardId), closedAtMs: this.#nowMs() };
    this.#shards.set(shardId, closed);
    return closed;
  }
}
