import { uniformRanges, type KeyRange } from './hash-keys.ts';
import { COUNTER_STEP } from './sequence-number.ts';

export type StreamStatus = 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING';
export type StreamMode = 'PROVISIONED' | 'ON_DEMAND';
export type Encryption = { readonly type: 'NONE' } | { readonly type: 'KMS'; readonly keyId: string };

/** One shard; hash keys are decimal texts, counters as in sequence-number.ts. */
export interface ShardState {
  readonly index: number;
  readonly parents: readonly number[];
  readonly startKey: string;
  readonly endKey: string;
  readonly startCounter: number;
  readonly openedAtMs: number;
  readonly closed?: { readonly counter: number; readonly atMs: number };
}

export interface ConsumerState {
  readonly name: string;
  readonly arn: string;
  readonly createdAtMs: number;
  readonly activeAtMs: number;
  readonly tags: Tags;
}

export type Tags = Readonly<Record<string, string>>;

/** Everything about a stream but its records. A value that is written to the journal whole, as JSON. */
export interface StreamState {
  readonly name: string;
  readonly arn: string;
  readonly createdAtMs: number;
  readonly mode: StreamMode;
  readonly retentionHours: number;
  readonly encryption: Encryption;
  readonly monitoring: readonly string[];
  readonly maxRecordBytes: number;
  readonly tags: Tags;
  readonly consumers: readonly ConsumerState[];
  /** Resource policies by the ARN of the stream or consumer. */
  readonly policies: Readonly<Record<string, string>>;
  readonly shards: readonly ShardState[];
  /** The index of the next shard: shards that expired are gone from the list, and their ids never come back. */
  readonly nextShardIndex: number;
  /** Counter of the next record at the time of this state. */
  readonly nextCounter: number;
  readonly busy?: { readonly status: Exclude<StreamStatus, 'ACTIVE'>; readonly untilMs: number };
}

export interface NewStream {
  readonly name: string;
  readonly arn: string;
  readonly createdAtMs: number;
  readonly mode: StreamMode;
  readonly shardCount: number;
  readonly maxRecordBytes: number;
  readonly tags: Tags;
  /** When it stops being CREATING. */
  readonly activeAtMs: number;
}

const RETENTION_HOURS_DEFAULT = 24;
const HOUR_MS = 3_600_000;

export function createState(stream: NewStream): StreamState {
  const empty: StreamState = {
    name: stream.name,
    arn: stream.arn,
    createdAtMs: stream.createdAtMs,
    mode: stream.mode,
    retentionHours: RETENTION_HOURS_DEFAULT,
    encryption: { type: 'NONE' },
    monitoring: [],
    maxRecordBytes: stream.maxRecordBytes,
    tags: stream.tags,
    consumers: [],
    policies: {},
    shards: [],
    nextShardIndex: 0,
    nextCounter: COUNTER_STEP,
    busy: { status: 'CREATING', untilMs: stream.activeAtMs },
  };
  return uniformRanges(stream.shardCount).reduce(
    (state, range) => openShard(state, [], range, stream.createdAtMs),
    empty,
  );
}

export function statusOf(state: StreamState, nowMs: number): StreamStatus {
  return state.busy && nowMs < state.busy.untilMs ? state.busy.status : 'ACTIVE';
}

export function isOpen(shard: ShardState): boolean {
  return shard.closed === undefined;
}

/** Records that arrived before this are gone. */
export function trimHorizonMs(state: StreamState, nowMs: number): number {
  return nowMs - state.retentionHours * HOUR_MS;
}

/** A closed shard goes when its last record can no longer be there. */
export function withoutExpiredShards(state: StreamState, nowMs: number): StreamState {
  const horizonMs = trimHorizonMs(state, nowMs);
  const shards = state.shards.filter((shard) => !shard.closed || shard.closed.atMs >= horizonMs);
  return shards.length === state.shards.length ? state : { ...state, shards };
}

/** `key` becomes the first hash key of the second child. */
export function splitShard(state: StreamState, shard: ShardState, key: bigint, nowMs: number): StreamState {
  const lower = { start: BigInt(shard.startKey), end: key - 1n };
  const upper = { start: key, end: BigInt(shard.endKey) };
  const closed = closeShard(state, shard.index, nowMs);
  return openShard(openShard(closed, [shard.index], lower, nowMs), [shard.index], upper, nowMs);
}

/** `shard` and `adjacent` touch, in either order; `shard` becomes the parent and `adjacent` the adjacent parent. */
export function mergeShards(
  state: StreamState,
  shard: ShardState,
  adjacent: ShardState,
  nowMs: number,
): StreamState {
  const [low, high] =
    BigInt(shard.startKey) < BigInt(adjacent.startKey) ? [shard, adjacent] : [adjacent, shard];
  const closed = closeShard(closeShard(state, shard.index, nowMs), adjacent.index, nowMs);
  const range = { start: BigInt(low.startKey), end: BigInt(high.endKey) };
  return openShard(closed, [shard.index, adjacent.index], range, nowMs);
}

function closeShard(state: StreamState, index: number, nowMs: number): StreamState {
  const closed = { counter: state.nextCounter, atMs: nowMs };
  return {
    ...state,
    nextCounter: state.nextCounter + COUNTER_STEP,
    shards: state.shards.map((shard) => (shard.index === index ? { ...shard, closed } : shard)),
  };
}

function openShard(
  state: StreamState,
  parents: readonly number[],
  range: KeyRange,
  nowMs: number,
): StreamState {
  const shard: ShardState = {
    index: state.nextShardIndex,
    parents,
    startKey: range.start.toString(),
    endKey: range.end.toString(),
    startCounter: state.nextCounter,
    openedAtMs: nowMs,
  };
  return {
    ...state,
    nextShardIndex: state.nextShardIndex + 1,
    nextCounter: state.nextCounter + COUNTER_STEP,
    shards: [...state.shards, shard],
  };
}
