import { PlatformError } from '../runtime/errors.ts';
import type { Kinesis } from '../streams/kinesis.ts';

export interface HashRange {
  readonly startingHashKey: string;
  readonly endingHashKey: string;
}

export type HashRangeOf = (stream: string, shardId: string) => Promise<HashRange>;

/**
 * Hash ranges of shards. They never change, so a stream is listed once, and once more for each time that shards
 * were added; shards that ask meanwhile share the listing. Only streams with KPL aggregates ever need it.
 */
export function hashRanges(kinesis: Kinesis): HashRangeOf {
  const known = new Map<string, HashRange>();
  const listings = new Map<string, Promise<void>>();
  const key = (stream: string, shardId: string): string => `${stream}/${shardId}`;
  const list = async (stream: string): Promise<void> => {
    try {
      for (const shard of await kinesis.listShards(stream)) known.set(key(stream, shard.shardId), shard);
    } finally {
      listings.delete(stream);
    }
  };
  return async (stream, shardId) => {
    const before = known.get(key(stream, shardId));
    if (before) return before;
    const listing = listings.get(stream) ?? list(stream);
    listings.set(stream, listing);
    await listing;
    const range = known.get(key(stream, shardId));
    if (range) return range;
    throw new PlatformError('shard-not-found', `${stream} has no shard ${shardId}`, { retryable: true });
  };
}
