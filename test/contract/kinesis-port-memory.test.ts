import { createManualClock } from '../../lib/runtime/manual-clock.ts';
import { createMemoryKinesis } from '../../lib/streams/memory-kinesis.ts';
import { kinesisPortContract } from './kinesis-port.ts';

kinesisPortContract('memory', async () => {
  const kinesis = createMemoryKinesis({ clock: createManualClock({ startMs: Date.UTC(2026, 0, 1) }) });
  let streams = 0;
  return {
    kinesis,
    createStream: async (shards) => {
      streams += 1;
      kinesis.createStream(`stream-${streams}`, shards);
      return `stream-${streams}`;
    },
    split: async (stream, shardId) => {
      kinesis.split(stream, shardId);
    },
    merge: async (stream, a, b) => {
      kinesis.merge(stream, a, b);
    },
    stop: async () => {},
  };
});
