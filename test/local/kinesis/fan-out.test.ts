import {
  CreateStreamCommand,
  DeregisterStreamConsumerCommand,
  MergeShardsCommand,
  PutRecordCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
  type KinesisClient,
  type StartingPosition,
  type SubscribeToShardEvent,
  type SubscribeToShardEventStream,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { expect } from 'chai';
import { nameOf } from '../../../lib/runtime/errors.ts';
import { TAKEOVER_AFTER_MS } from '../../../local/kinesis/operations/subscribe.ts';
import type { KinesisOptions } from '../../../local/kinesis/server.ts';
import { ACCOUNT, clientOf, refusalOf, shardId, startTestKinesis, type TestKinesis } from './support.ts';

const StreamARN = `arn:aws:kinesis:eu-central-1:${ACCOUNT}:stream/s`;

describe('enhanced fan-out', () => {
  let kinesis: TestKinesis;
  let client: KinesisClient;
  let arn: string;
  let nowMs: number;

  afterEach(() => kinesis.stop());

  async function start(options: Partial<KinesisOptions> = {}): Promise<void> {
    nowMs = 1_700_000_000_000;
    kinesis = await startTestKinesis({ clock: { now: () => nowMs }, ...options });
    client = kinesis.client;
    await client.send(new CreateStreamCommand({ StreamName: 's', ShardCount: 2 }));
    const { Consumer } = await client.send(
      new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'c' }),
    );
    arn = Consumer?.ConsumerARN ?? '';
  }

  async function put(text: string): Promise<string> {
    const { SequenceNumber } = await client.send(
      new PutRecordCommand({
        StreamName: 's',
        PartitionKey: 'k',
        ExplicitHashKey: '0',
        Data: Buffer.from(text),
      }),
    );
    return SequenceNumber ?? '';
  }

  async function subscribe(
    StartingPosition: StartingPosition = { Type: 'TRIM_HORIZON' },
    through: KinesisClient = client,
  ): Promise<Events> {
    const hangUp = new AbortController();
    const subscribed = await through.send(
      new SubscribeToShardCommand({ ConsumerARN: arn, ShardId: shardId(0), StartingPosition }),
      { abortSignal: hangUp.signal },
    );
    return new Events(subscribed.EventStream!, hangUp);
  }

  it('pushes what is there, and what is put later without being asked', async () => {
    await start();
    await put('before');
    const events = await subscribe();
    expect(textsOf(await events.next())).to.deep.equal(['before']);
    await put('after');
    const event = await events.next();
    expect(textsOf(event)).to.deep.equal(['after']);
    expect(event?.MillisBehindLatest).to.equal(0);
    events.leave();
  });

  it('works over HTTP/1.1 as well', async () => {
    await start();
    await put('one');
    const plain = clientOf(kinesis.server.url);
    plain.config.requestHandler = new NodeHttpHandler();
    const events = await subscribe({ Type: 'TRIM_HORIZON' }, plain);
    expect(textsOf(await events.next())).to.deep.equal(['one']);
    events.leave();
    plain.destroy();
  });

  it('continues from a continuation number with AT_ and with AFTER_, without a gap or a repeat', async () => {
    await start();
    await put('one');
    const first = await subscribe();
    const continuation = (await first.next())?.ContinuationSequenceNumber ?? '';
    first.leave();
    await put('two');
    for (const Type of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER'] as const) {
      nowMs += TAKEOVER_AFTER_MS;
      const events = await subscribe({ Type, SequenceNumber: continuation });
      expect(textsOf(await events.next()), Type).to.deep.equal(['two']);
      events.leave();
    }
  });

  it('starts at a record, after it, at a time and at the tip', async () => {
    await start();
    const one = await put('one');
    nowMs += 1_000;
    await put('two');
    const from: [StartingPosition, string][] = [
      [{ Type: 'AT_SEQUENCE_NUMBER', SequenceNumber: one }, 'one,two'],
      [{ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: one }, 'two'],
      [{ Type: 'AT_TIMESTAMP', Timestamp: new Date(nowMs - 500) }, 'two'],
    ];
    for (const [position, texts] of from) {
      nowMs += TAKEOVER_AFTER_MS;
      const events = await subscribe(position);
      expect(textsOf(await events.next()).join(), position.Type).to.equal(texts);
      events.leave();
    }
    nowMs += TAKEOVER_AFTER_MS;
    const latest = await subscribe({ Type: 'LATEST' });
    await put('three');
    expect(textsOf(await latest.next())).to.deep.equal(['three']);
    latest.leave();
  });

  it('ends at the end of a closed shard, naming the child and no continuation', async () => {
    await start();
    const events = await subscribe();
    await put('last');
    expect(textsOf(await events.next())).to.deep.equal(['last']);
    await client.send(
      new MergeShardsCommand({ StreamName: 's', ShardToMerge: shardId(0), AdjacentShardToMerge: shardId(1) }),
    );
    const end = await events.next();
    expect(end?.ContinuationSequenceNumber ?? undefined).to.equal(undefined);
    expect(end?.ChildShards?.map((child) => [child.ShardId, child.ParentShards])).to.deep.equal([
      [shardId(2), [shardId(0), shardId(1)]],
    ]);
    expect(await events.next()).to.equal(undefined);
  });

  it('refuses a second subscription within five seconds, and lets a later one take over', async () => {
    await start();
    const first = await subscribe();
    nowMs += 4_999;
    expect((await refusalOf(subscribe())).name).to.equal('ResourceInUseException');
    nowMs += 1;
    const second = await subscribe();
    expect((await refusalOf(first.next())).name).to.equal('ResourceInUseException');
    await put('for the second');
    expect(textsOf(await second.next())).to.deep.equal(['for the second']);
    second.leave();
  });

  it('is free again as soon as its connection has gone', async () => {
    await start();
    await put('one');
    const first = await subscribe();
    await first.next();
    first.leave();
    const again = await untilGranted(() => subscribe());
    expect(textsOf(await again.next())).to.deep.equal(['one']);
    again.leave();
  });

  it('with the limits of the service stays taken for five seconds when its connection has gone', async () => {
    await start({ limits: 'service' });
    await put('one');
    const first = await subscribe();
    await first.next();
    first.leave();
    expect((await refusalOf(subscribe())).name).to.equal('ResourceInUseException');
  });

  it('ends by itself when its time is over, and can be subscribed again', async () => {
    await start({ subscriptionMs: 1 });
    const events = await subscribe();
    expect(await events.next()).to.equal(undefined);
    await put('one');
    const again = await subscribe();
    expect(textsOf(await again.next())).to.deep.equal(['one']);
  });

  it('fails the subscription of a consumer that is deregistered', async () => {
    await start();
    const events = await subscribe();
    await client.send(new DeregisterStreamConsumerCommand({ ConsumerARN: arn }));
    expect((await refusalOf(events.next())).name).to.equal('ResourceNotFoundException');
  });

  it('cuts a running subscription in the middle of an event when that fault is armed', async () => {
    await start();
    const events = await subscribe();
    kinesis.server.faults.add({ verb: 'cut-connection', operation: 'SubscribeToShard', count: 1 });
    await put('one');
    await refusalOf(events.next().then((event) => expect(event).to.not.equal(undefined)));
    const again = await untilGranted(() => subscribe());
    expect(textsOf(await again.next())).to.deep.equal(['one']);
    again.leave();
  });
});

/** The server learns of a closed connection a moment later than the client. */
async function untilGranted(subscribe: () => Promise<Events>): Promise<Events> {
  for (;;) {
    try {
      return await subscribe();
    } catch (error) {
      if (nameOf(error) !== 'ResourceInUseException') throw error;
    }
  }
}

/** One subscription, read event by event. */
class Events {
  readonly #events: AsyncIterator<SubscribeToShardEventStream>;
  readonly #hangUp: AbortController;

  constructor(stream: AsyncIterable<SubscribeToShardEventStream>, hangUp: AbortController) {
    this.#events = stream[Symbol.asyncIterator]();
    this.#hangUp = hangUp;
  }

  /** Undefined at the end. */
  async next(): Promise<SubscribeToShardEvent | undefined> {
    const { done, value } = await this.#events.next();
    return done ? undefined : (value as SubscribeToShardEventStream).SubscribeToShardEvent;
  }

  /** Leaving the iteration is not enough: the SDK then keeps the stream open. */
  leave(): void {
    this.#hangUp.abort();
  }
}

function textsOf(event: SubscribeToShardEvent | undefined): string[] {
  return (event?.Records ?? []).map((record) => Buffer.from(record.Data ?? []).toString());
}
