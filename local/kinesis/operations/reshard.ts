import { invalidArgument, ServiceError } from '../errors.ts';
import { parseHashKey } from '../storage/hash-keys.ts';
import { openShards, scaleUniformly } from '../storage/reshard.ts';
import { shardIdOf } from '../storage/sequence-number.ts';
import { mergeShards, splitShard, type ShardState, type StreamState } from '../storage/stream-state.ts';
import type { Stream } from '../storage/stream.ts';
import { hashKey, shardCount, shardId, streamRef } from '../validation/members.ts';
import { oneOf, parse, shape } from '../validation/rules.ts';
import { nameOfStream, type Call, type Reply, type StreamRef } from './call.ts';
import { shardOf } from './positions.ts';
import { checkShardLimit } from './streams.ts';

const splitShape = shape({ ...streamRef, ShardToSplit: shardId, NewStartingHashKey: hashKey });
const mergeShape = shape({ ...streamRef, ShardToMerge: shardId, AdjacentShardToMerge: shardId });
const scaleShape = shape({
  ...streamRef,
  TargetShardCount: shardCount,
  ScalingType: oneOf(['UNIFORM_SCALING']),
});

/** The API reference: no more than this per stream without a raised limit. */
const SHARDS_PER_STREAM_MAX = 10_000;

export function splitOne(call: Call, input: unknown): Reply {
  const read = parse(splitShape, input);
  const stream = provisioned(call, read);
  const shard = openShard(call, stream, read.ShardToSplit);
  const key = parseHashKey(read.NewStartingHashKey);
  if (key === undefined || key <= BigInt(shard.startKey) || key > BigInt(shard.endKey)) {
    throw invalidArgument(
      `NewStartingHashKey ${read.NewStartingHashKey} used in SplitShard() on shard ${read.ShardToSplit} in stream ` +
        `${stream.state.name} under account ${call.account.identity.accountId} is not both greater than one plus ` +
        `the shard's StartingHashKey ${shard.startKey} and less than the shard's EndingHashKey ${shard.endKey}.`,
    );
  }
  checkShardLimit(call, 1);
  stream.change((state) => updating(call, splitShard(state, shard, key, call.nowMs)), call.nowMs);
  return '';
}

export function mergeTwo(call: Call, input: unknown): Reply {
  const read = parse(mergeShape, input);
  const stream = provisioned(call, read);
  const shard = openShard(call, stream, read.ShardToMerge);
  const adjacent = openShard(call, stream, read.AdjacentShardToMerge);
  const touches = (a: ShardState, b: ShardState): boolean => BigInt(a.endKey) + 1n === BigInt(b.startKey);
  if (!touches(shard, adjacent) && !touches(adjacent, shard)) {
    throw invalidArgument(
      `Shards ${read.ShardToMerge} and ${read.AdjacentShardToMerge} in stream ${stream.state.name} under account ` +
        `${call.account.identity.accountId} are not an adjacent pair of shards eligible for merging`,
    );
  }
  stream.change((state) => updating(call, mergeShards(state, shard, adjacent, call.nowMs)), call.nowMs);
  return '';
}

export function updateShardCount(call: Call, input: unknown): Reply {
  const read = parse(scaleShape, input);
  const stream = provisioned(call, read);
  const current = openShards(stream.state).length;
  const target = read.TargetShardCount;
  checkScale(current, target);
  checkShardLimit(call, target - current);
  stream.change((state) => updating(call, scaleUniformly(state, target, call.nowMs)), call.nowMs);
  return JSON.stringify({
    StreamName: stream.state.name,
    StreamARN: stream.state.arn,
    CurrentShardCount: current,
    TargetShardCount: target,
  });
}

function checkScale(current: number, target: number): void {
  if (target > current * 2) {
    throw invalidArgument(
      `UpdateShardCount cannot scale up over double your current open shard count. Current open shard count: ${current} Target shard count: ${target}`,
    );
  }
  if (target < current / 2) {
    throw invalidArgument(
      `UpdateShardCount cannot scale down below half your current open shard count. Current open shard count: ${current} Target shard count: ${target}`,
    );
  }
  if (target > SHARDS_PER_STREAM_MAX) {
    throw new ServiceError('LimitExceededException', `A stream has at most ${SHARDS_PER_STREAM_MAX} shards.`);
  }
}

function provisioned(call: Call, ref: StreamRef): Stream {
  const stream = call.account.activeStream(nameOfStream(call, ref), call.nowMs);
  if (stream.state.mode === 'PROVISIONED') return stream;
  throw new ServiceError(
    'ValidationException',
    `Stream ${stream.state.name} is in ON_DEMAND mode: its shards cannot be changed.`,
  );
}

function openShard(call: Call, stream: Stream, id: string): ShardState {
  const shard = shardOf(call, stream, id);
  if (shard.closed === undefined) return shard;
  throw invalidArgument(
    `Shard ${shardIdOf(shard.index)} in stream ${stream.state.name} under account ` +
      `${call.account.identity.accountId} has already been merged or split, and thus is not eligible for merging or splitting.`,
  );
}

/** The change is in force at once; the status says so for as long as the service would take. */
export function updating(call: Call, state: StreamState): StreamState {
  return {
    ...state,
    busy: { status: 'UPDATING', untilMs: call.nowMs + call.settings.createStreamMs },
  };
}
