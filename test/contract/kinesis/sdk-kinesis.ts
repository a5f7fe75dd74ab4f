import { CreateStreamCommand, MergeShardsCommand, SplitShardCommand } from '@aws-sdk/client-kinesis';
import { createAwsKinesis, createKinesisClient } from '../../../lib/streams/aws-kinesis.ts';
import type { KinesisUnderTest } from './support.ts';

/** Looks at a stream that is being changed; a stand-in that needs more of them is stuck. */
const looksMax = 200;

/** The AWS adapter against any server that speaks Kinesis; `stop` ends the server. */
export function sdkKinesis(endpoint: string, stop: () => Promise<void>): KinesisUnderTest {
  process.env.AWS_ACCESS_KEY_ID ??= 'test';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'test';
  const client = createKinesisClient({ region: 'eu-central-1', endpoint });
  const kinesis = createAwsKinesis(client);
  let streams = 0;
  const ready = async (stream: string): Promise<void> => {
    for (let look = 0; look < looksMax; look += 1) {
      if ((await kinesis.describe(stream)).status === 'ACTIVE') return;
    }
    throw new Error(`Stream ${stream} did not become ACTIVE`);
  };
  return {
    kinesis,
    createStream: async (shards) => {
      streams += 1;
      const name = `stream-${streams}`;
      await client.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }));
      await ready(name);
      return name;
    },
    split: async (stream, shardId) => {
      const shard = (await kinesis.listShards(stream)).find((listed) => listed.shardId === shardId);
      const start = BigInt(shard?.startingHashKey ?? 0);
      const middle = start + (BigInt(shard?.endingHashKey ?? 0) - start) / 2n + 1n;
      await client.send(
        new SplitShardCommand({
          StreamName: stream,
          ShardToSplit: shardId,
          NewStartingHashKey: middle.toString(),
        }),
      );
      await ready(stream);
    },
    merge: async (stream, shardId, adjacentShardId) => {
      await client.send(
        new MergeShardsCommand({
          StreamName: stream,
          ShardToMerge: shardId,
          AdjacentShardToMerge: adjacentShardId,
        }),
      );
      await ready(stream);
    },
    stop: async () => {
      client.destroy();
      await stop();
    },
  };
}
