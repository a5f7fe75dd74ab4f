import type { EventHandler } from '../../lib/consumer/events.ts';
import { putOutgoing } from '../../lib/consumer/put-outgoing.ts';
import type { Encoder } from '../../lib/event/codec.ts';
import { assert } from '../../lib/runtime/errors.ts';
import { positionOf } from '../../lib/streams/stamp-reader.ts';
import type { StampedWriter } from '../../lib/streams/writer.ts';
import { highValuePurchase } from './high-value-purchase.ts';

export interface DetectorOptions {
  readonly threshold: number;
  readonly encode: Encoder;
  /** Opens the derived stream for one acquisition of a shard. */
  readonly open: (source: string, startFloor: bigint) => StampedWriter;
}

/**
 * One per acquisition of a shard. A derived event has the stamp of its cause's position, so what a replay puts again is
 * dropped by its readers.
 */
export function createDetectorHandler({ threshold, encode, open }: DetectorOptions): EventHandler {
  let writer: StampedWriter | undefined;
  return {
    start: async ({ checkpoint }, { stream, shardId }) => {
      const floor = checkpoint === undefined ? 0n : positionOf(checkpoint);
      writer = open(`detector/${stream}/${shardId}`, floor);
    },
    handle: async (events, { signal }) => {
      assert(writer, 'The detector was not started: it has no writer');
      const derived = events.map(({ event }) => highValuePurchase(event, threshold));
      const records = derived.flatMap((event, index) => {
        const cause = events[index];
        if (event === undefined || cause === undefined) return [];
        const position = positionOf(cause.record.position);
        return { partitionKey: event.subject, position, encode: (stamp: string) => encode(event, stamp) };
      });
      if (records.length > 0) await putOutgoing(writer, records, signal);
      return derived.map((event) => (event === undefined ? 'nothing' : 'derived'));
    },
    flush: async () => ({}),
  };
}
