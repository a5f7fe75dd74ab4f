import { blockOf, numberOf, streamNoun, type Item } from './inventory.ts';
import type { Traffic } from './traffic.ts';

/** Limits of one shard for writers. https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html */
const shardBytesPerSecond = 1_000_000;
const shardRecordsPerSecond = 1_000;

/** How full a stream is in the highest minute. */
export interface StreamLoad {
  readonly stream: string;
  /** Undefined: on demand, it has no fixed number. */
  readonly shards: number | undefined;
  /** Undefined: the profile does not say how much goes there. */
  readonly recordsPerSecond: number | undefined;
  /** 1 = full by bytes or records, whichever comes first. Undefined where either is. */
  readonly load: number | undefined;
}

/** Copies of an event that a stream gets; undefined where the profile does not say. */
export function shareOf(stream: string, traffic: Traffic): number | undefined {
  switch (stream) {
    case 'inbound':
      return 1;
    case 'derived':
      return traffic.derived;
    case 'events_changes':
      return 1;
    default:
      return traffic.routed[stream];
  }
}

export function streamLoads(items: readonly Item[], traffic: Traffic): readonly StreamLoad[] {
  return items
    .filter(({ type }) => type === 'aws_kinesis_stream')
    .map((item) => {
      const stream = streamNoun(item);
      const onDemand = blockOf(item.values, 'stream_mode_details').stream_mode === 'ON_DEMAND';
      const shards = onDemand ? undefined : numberOf(item.values, 'shard_count');
      const share = shareOf(stream, traffic);
      const recordsPerSecond = share === undefined ? undefined : share * traffic.peakPerSecond;
      return { stream, shards, recordsPerSecond, load: loadOf(shards, recordsPerSecond, traffic.eventBytes) };
    });
}

function loadOf(
  shards: number | undefined,
  recordsPerSecond: number | undefined,
  eventBytes: number,
): number | undefined {
  if (shards === undefined || recordsPerSecond === undefined) return undefined;
  const byBytes = (recordsPerSecond * eventBytes) / (shards * shardBytesPerSecond);
  const byRecords = recordsPerSecond / (shards * shardRecordsPerSecond);
  return Math.max(byBytes, byRecords);
}
