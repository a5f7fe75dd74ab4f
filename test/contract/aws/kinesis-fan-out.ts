import {
  DeregisterStreamConsumerCommand,
  DescribeStreamConsumerCommand,
  ListStreamConsumersCommand,
  MergeShardsCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
  type KinesisClient,
  type StartingPosition,
  type SubscribeToShardEvent,
} from '@aws-sdk/client-kinesis';
import { expect } from 'chai';
import { newStream, put, shardId, summary, textsOf, until } from './support/kinesis-calls.ts';
import type { Rule } from './support/kinesis-peers.ts';
import { refusalName } from './support/peers.ts';

/** A peer that has pushed nothing for so long will not. */
const EVENT_MS_MAX = 3_000;

interface Consumer {
  readonly stream: string;
  readonly StreamARN: string;
  readonly ConsumerARN: string;
}

async function register(client: KinesisClient, shards = 1): Promise<Consumer> {
  const stream = await newStream(client, shards);
  const { StreamARN } = await summary(client, stream);
  const { Consumer: made } = await client.send(
    new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'reader' }),
  );
  const ConsumerARN = made!.ConsumerARN!;
  await until(async () => (await statusOf(client, ConsumerARN)) === 'ACTIVE');
  return { stream, StreamARN: StreamARN!, ConsumerARN };
}

async function statusOf(client: KinesisClient, ConsumerARN: string): Promise<string | undefined> {
  const { ConsumerDescription } = await client.send(new DescribeStreamConsumerCommand({ ConsumerARN }));
  return ConsumerDescription?.ConsumerStatus;
}

/** Subscribes to the first shard and hands over events until `enough` says so. */
async function subscribed(
  client: KinesisClient,
  ConsumerARN: string,
  enough: (events: readonly SubscribeToShardEvent[]) => Promise<boolean>,
  StartingPosition: StartingPosition = { Type: 'TRIM_HORIZON' },
): Promise<void> {
  const hangUp = new AbortController();
  const limit = setTimeout(() => hangUp.abort(new Error(`no event within ${EVENT_MS_MAX} ms`)), EVENT_MS_MAX);
  try {
    const { EventStream } = await client.send(
      new SubscribeToShardCommand({ ConsumerARN, ShardId: shardId(0), StartingPosition }),
      { abortSignal: hangUp.signal },
    );
    const events: SubscribeToShardEvent[] = [];
    for await (const { SubscribeToShardEvent: event } of EventStream!) {
      if (event) events.push(event);
      if (await enough(events)) return;
    }
    throw new Error('the subscription ended too soon');
  } finally {
    clearTimeout(limit);
    hangUp.abort();
  }
}

const consumers: readonly Rule[] = [
  {
    sentence: 'a consumer is found by its ARN, or by its name and the ARN of its stream',
    check: async (client) => {
      const { StreamARN, ConsumerARN } = await register(client);
      const by = new DescribeStreamConsumerCommand({ StreamARN, ConsumerName: 'reader' });
      const { ConsumerDescription: found } = await client.send(by);
      expect(found).to.include({ ConsumerARN, ConsumerName: 'reader', StreamARN });
      expect(ConsumerARN).to.match(/:stream\/[^/]+\/consumer\/reader:\d+$/);
    },
  },
  {
    sentence: 'a second consumer of the name is a ResourceInUseException',
    check: async (client) => {
      const { StreamARN } = await register(client);
      const again = client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'reader' }));
      expect(await refusalName(again)).to.equal('ResourceInUseException');
    },
  },
  {
    sentence: 'consumers are listed page by page',
    check: async (client) => {
      const { StreamARN } = await register(client);
      for (const ConsumerName of ['x', 'y']) {
        await client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName }));
      }
      const first = await client.send(new ListStreamConsumersCommand({ StreamARN, MaxResults: 2 }));
      const NextToken = first.NextToken;
      expect(NextToken).to.be.a('string');
      const second = await client.send(new ListStreamConsumersCommand({ StreamARN, NextToken }));
      const names = [...first.Consumers!, ...second.Consumers!].map((consumer) => consumer.ConsumerName);
      expect(names).to.have.members(['reader', 'x', 'y']);
    },
  },
  {
    sentence: 'a consumer that was deregistered is a ResourceNotFoundException in the end',
    check: async (client) => {
      const { ConsumerARN } = await register(client);
      await client.send(new DeregisterStreamConsumerCommand({ ConsumerARN }));
      let status: string | undefined;
      await until(async () => {
        status = await statusOf(client, ConsumerARN).catch((error: Error) => error.name);
        return status !== 'DELETING';
      });
      expect(status).to.equal('ResourceNotFoundException');
    },
  },
];

const subscriptions: readonly Rule[] = [
  {
    sentence: 'a subscription pushes what is there, with a number to continue from',
    check: async (client) => {
      const { stream, ConsumerARN } = await register(client);
      const [, last] = await put(client, stream, ['one', 'two']);
      await subscribed(client, ConsumerARN, async (events) => {
        if (events.flatMap(textsOf).length < 2) return false;
        expect(events.flatMap(textsOf)).to.deep.equal(['one', 'two']);
        expect(BigInt(events.at(-1)!.ContinuationSequenceNumber!) >= BigInt(last!.SequenceNumber!)).to.equal(
          true,
        );
        return true;
      });
    },
  },
  {
    sentence: 'a subscription pushes what is put while it runs',
    check: async (client) => {
      const { stream, ConsumerARN } = await register(client);
      await put(client, stream, ['one']);
      await subscribed(client, ConsumerARN, async (events) => {
        const texts = events.flatMap(textsOf);
        if (texts.length === 1 && events.at(-1)!.Records!.length === 1) await put(client, stream, ['two']);
        return texts.join() === 'one,two';
      });
    },
  },
  {
    sentence:
      'a second subscription of a consumer to a shard within five seconds is a ResourceInUseException',
    check: async (client) => {
      const { stream, ConsumerARN } = await register(client);
      await put(client, stream, ['one']);
      await subscribed(client, ConsumerARN, async () => {
        const again = subscribed(client, ConsumerARN, async () => true);
        expect(await refusalName(again)).to.equal('ResourceInUseException');
        return true;
      });
    },
  },
  {
    sentence:
      'a subscription to a closed shard ends after its records, with the children and no continuation',
    check: async (client) => {
      const { stream, ConsumerARN } = await register(client, 2);
      await put(client, stream, ['last'], { ExplicitHashKey: '0' });
      const pair = { ShardToMerge: shardId(0), AdjacentShardToMerge: shardId(1) };
      await client.send(new MergeShardsCommand({ StreamName: stream, ...pair }));
      await subscribed(client, ConsumerARN, async (events) => {
        const { ChildShards, ContinuationSequenceNumber } = events.at(-1)!;
        if (ChildShards === undefined || ChildShards.length === 0) return false;
        expect(events.flatMap(textsOf)).to.deep.equal(['last']);
        expect(ChildShards.map((child) => child.ParentShards)).to.deep.equal([[shardId(0), shardId(1)]]);
        expect(ContinuationSequenceNumber ?? undefined).to.equal(undefined);
        return true;
      });
    },
  },
  {
    sentence: 'a subscription of a consumer that is not there is a ResourceNotFoundException',
    check: async (client) => {
      const { ConsumerARN } = await register(client);
      const wrong = subscribed(client, `${ConsumerARN}9`, async () => true);
      expect(await refusalName(wrong)).to.equal('ResourceNotFoundException');
    },
  },
];

export const fanOutRules: readonly Rule[] = [...consumers, ...subscriptions];
