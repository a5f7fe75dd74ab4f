import { maxHashKey } from '../../lib/streams/hash-key.ts';
import type { Shard } from '../../lib/streams/kinesis.ts';

export interface HashRange {
  readonly start: bigint;
  readonly end: bigint;
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
