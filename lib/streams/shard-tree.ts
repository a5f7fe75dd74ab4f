import { maxHashKey } from './hash-key.ts';
import type { Shard } from './kinesis.ts';

/**
 * A stream's shards as a tree, from one listing. A parent that the listing does not have is gone (its retention is
 * over) and counts as finished.
 */
export interface HashRange {
  readonly start: bigint;
  readonly end: bigint;
}

export function openShards(shards: readonly Shard[]): readonly Shard[] {
  return shards.filter((shard) => shard.endingSequenceNumber === undefined);
}

export function childrenOf(shards: readonly Shard[], shardId: string): readonly Shard[] {
  return shards.filter((shard) => shard.parents.includes(shardId));
}

/** Ids of everything that a shard descends from, as far as listed; nearest first. */
export function ancestorsOf(shards: readonly Shard[], shardId: string): readonly string[] {
  const byId = new Map(shards.map((shard) => [shard.shardId, shard]));
  const found = new Set<string>();
  let generation: readonly string[] = [shardId];
  while (generation.length > 0) {
    generation = generation.flatMap((id) => byId.get(id)?.parents ?? []).filter((id) => byId.has(id));
    for (const id of generation) found.add(id);
  }
  return [...found];
}

/** Every shard after its parents; otherwise in the order of the listing. */
export function parentsFirst(shards: readonly Shard[]): readonly Shard[] {
  const byId = new Map(shards.map((shard) => [shard.shardId, shard]));
  const ordered = new Set<Shard>();
  const place = (shard: Shard): void => {
    if (ordered.has(shard)) return;
    for (const parent of shard.parents) {
      const listed = byId.get(parent);
      if (listed) place(listed);
    }
    ordered.add(shard);
  };
  for (const shard of shards) place(shard);
  return [...ordered];
}

/**
 * The hash keys that none of these shards covers. Of the open shards of a stream there are none; a hole means that a
 * listing, or a set of leases, is not complete.
 */
export function holesIn(
  shards: readonly Pick<Shard, 'startingHashKey' | 'endingHashKey'>[],
): readonly HashRange[] {
  const ranges = shards.map((shard) => ({
    start: BigInt(shard.startingHashKey),
    end: BigInt(shard.endingHashKey),
  }));
  ranges.sort((a, b) => (a.start < b.start ? -1 : 1));
  const holes: HashRange[] = [];
  let next = 0n;
  for (const { start, end } of ranges) {
    if (start > next) holes.push({ start: next, end: start - 1n });
    if (end >= next) next = end + 1n;
  }
  if (next <= maxHashKey) holes.push({ start: next, end: maxHashKey });
  return holes;
}
