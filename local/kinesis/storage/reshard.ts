import { uniformRanges, type KeyRange } from './hash-keys.ts';
import { isOpen, mergeShards, splitShard, type ShardState, type StreamState } from './stream-state.ts';

/**
 * Uniform scaling: every open shard is split at each boundary of the wanted ranges that lies inside it, then the
 * pieces of one wanted range are merged. Shards that live only in between are made and closed on the way, as the
 * service does it ("This can cause short-lived shards to be created").
 */
export function scaleUniformly(state: StreamState, target: number, nowMs: number): StreamState {
  const wanted = uniformRanges(target);
  const split = wanted.reduce((now, range) => splitAt(now, range.start, nowMs), state);
  return wanted.reduce((now, range) => mergeInside(now, range, nowMs), split);
}

export function openShards(state: StreamState): readonly ShardState[] {
  return state.shards.filter(isOpen);
}

function splitAt(state: StreamState, key: bigint, nowMs: number): StreamState {
  const inside = openShards(state).find(
    (shard) => BigInt(shard.startKey) < key && key <= BigInt(shard.endKey),
  );
  return inside ? splitShard(state, inside, key, nowMs) : state;
}

function mergeInside(state: StreamState, range: KeyRange, nowMs: number): StreamState {
  const [first, second] = openShards(state)
    .filter((shard) => BigInt(shard.startKey) >= range.start && BigInt(shard.endKey) <= range.end)
    .toSorted((a, b) => (BigInt(a.startKey) < BigInt(b.startKey) ? -1 : 1));
  if (!first || !second) return state;
  return mergeInside(mergeShards(state, first, second, nowMs), range, nowMs);
}
