import { formatSequenceNumber, shardIdOf } from '../storage/sequence-number.ts';
import type { ShardState, StreamState } from '../storage/stream-state.ts';

export interface ShardJson {
  readonly ShardId: string;
  readonly ParentShardId?: string;
  readonly AdjacentParentShardId?: string;
  readonly HashKeyRange: { readonly StartingHashKey: string; readonly EndingHashKey: string };
  readonly SequenceNumberRange: {
    readonly StartingSequenceNumber: string;
    readonly EndingSequenceNumber?: string;
  };
}

/** A shard as DescribeStream and ListShards show it. */
export function shardJson(state: StreamState, shard: ShardState): ShardJson {
  const [parent, adjacent] = shard.parents;
  const number = (counter: number, atMs: number): string =>
    formatSequenceNumber({ createdAtMs: state.createdAtMs, counter, shardIndex: shard.index }, atMs);
  return {
    ShardId: shardIdOf(shard.index),
    ...(parent === undefined ? {} : { ParentShardId: shardIdOf(parent) }),
    ...(adjacent === undefined ? {} : { AdjacentParentShardId: shardIdOf(adjacent) }),
    HashKeyRange: { StartingHashKey: shard.startKey, EndingHashKey: shard.endKey },
    SequenceNumberRange: {
      StartingSequenceNumber: number(shard.startCounter, shard.openedAtMs),
      ...(shard.closed ? { EndingSequenceNumber: number(shard.closed.counter, shard.closed.atMs) } : {}),
    },
  };
}
