import { expect } from 'chai';
import { type KinesisServer, startKinesis } from '../../local/kinesis/server.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { KinesisError } from '../../lib/streams/kinesis-error.ts';
import type { Kinesis } from '../../lib/streams/kinesis.ts';
import { parseStamp } from '../../lib/streams/stamp.ts';
import { createStampedWriter } from '../../lib/streams/stamped-writer.ts';
import { createRandom } from '../support/random.ts';
import { sdkKinesis } from './kinesis/sdk-kinesis.ts';
import { codeOf, firstShardId, numbered, readAll, texts, type KinesisUnderTest } from './kinesis/support.ts';

describe('AWS adapter: what can go wrong on the wire', function () {
  this.timeout(30_000);
  let server: KinesisServer;
  let under: KinesisUnderTest;
  let kinesis: Kinesis;

  before(async () => {
    server = await startKinesis({
      port: 0,
      region: 'eu-central-1',
      accountId: '000000000000',
      limits: 'off',
    });
    under = sdkKinesis(server.url, server.close);
    ({ kinesis } = under);
  });
  afterEach(() => void server.faults.clear());
  after(() => under.stop());

  it('says kinesis-unavailable when the request or the response is lost, and leaves the retry to its caller', async () => {
    const stream = await under.createStream(1);
    server.faults.add({ verb: 'drop-request', operation: 'PutRecords', count: 1 });
    expect(await codeOf(kinesis.put(stream, numbered(1)))).to.equal('kinesis-unavailable');
    server.faults.add({ verb: 'drop-response', operation: 'PutRecords', count: 1 });
    expect(await codeOf(kinesis.put(stream, numbered(2)))).to.equal('kinesis-unavailable');
    expect(texts(await readAll(kinesis, stream, firstShardId))).to.deep.equal(['0', '1']);
  });

  it('says per entry which were refused for lack of room', async () => {
    const stream = await under.createStream(1);
    server.faults.add({ verb: 'throttle', operation: 'PutRecords', count: 1 });
    const outcomes = await kinesis.put(stream, numbered(2));
    expect(outcomes.map((outcome) => outcome.ok || outcome.code)).to.deep.equal([
      'ProvisionedThroughputExceededException',
      true,
    ]);
  });

  it('says throttled and iterator-expired for reads', async () => {
    const stream = await under.createStream(1);
    const iterator = await kinesis.iterator(stream, firstShardId, { type: 'TRIM_HORIZON' });
    server.faults.add({ verb: 'throttle', operation: 'GetRecords', count: 1 });
    expect(await codeOf(kinesis.read(stream, iterator, 10))).to.equal('throttled');
    server.faults.add({ verb: 'expire-iterators', count: 1 });
    expect(await codeOf(kinesis.read(stream, iterator, 10))).to.equal('iterator-expired');
  });

  it('repeats control calls by itself', async () => {
    const stream = await under.createStream(1);
    server.faults.add({ verb: 'drop-request', operation: 'ListShards', count: 2 });
    expect(await kinesis.listShards(stream)).to.have.length(1);
  });

  it('lists more shards than one page holds', async () => {
    const shards = await kinesis.listShards(await under.createStream(2_300));
    expect(new Set(shards.map((shard) => shard.shardId)).size).to.equal(2_300);
  });

  it('fails a subscription whose connection is cut', async () => {
    const stream = await under.createStream(1);
    const consumer = await kinesis.registerConsumer(stream, 'reader');
    const signal = new AbortController().signal;
    const pages = kinesis.subscribe(consumer, firstShardId, { type: 'TRIM_HORIZON' }, signal);
    const subscription = pages[Symbol.asyncIterator]();
    await kinesis.put(stream, numbered(1));
    await subscription.next();
    server.faults.add({ verb: 'cut-connection', operation: 'SubscribeToShard', count: 1 });
    await kinesis.put(stream, numbered(1));
    expect(await codeOf(subscription.next())).to.equal('kinesis-unavailable');
  });

  it('ends a stamped write on the stream, each position once for its readers, through lost calls', async () => {
    const stream = await under.createStream(1);
    server.faults.add({ verb: 'drop-response', operation: 'PutRecords', probability: 0.3 });
    server.faults.add({ verb: 'drop-request', operation: 'PutRecords', probability: 0.2 });
    const writer = createStampedWriter({
      kinesis,
      stream,
      source: 'test',
      clock: systemClock,
      random: createRandom(1),
      limits: { batchRecords: 50, backoff: { firstMs: 1, maxMs: 4, tries: 100 } },
    });
    const given = Array.from({ length: 500 }, (_, index) => `key-${index % 7}`);
    await writer.put(given.map((key) => ({ partitionKey: key, encode: (stamp) => Buffer.from(stamp) })));
    const positions = texts(await readAll(kinesis, stream, firstShardId)).map(
      (text) => parseStamp(text)?.position,
    );
    const first = [...new Set(positions)];
    expect(first).to.deep.equal(given.map((_, index) => BigInt(index + 1)));
    expect(positions.length).to.be.greaterThan(500);
  });

  it('throws nothing but KinesisErrors', async () => {
    const gone = sdkKinesis('http://127.0.0.1:1', async () => {});
    const error = await gone.kinesis.put('s', numbered(1)).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(KinesisError).with.property('code', 'kinesis-unavailable');
    await gone.stop();
  });
});
