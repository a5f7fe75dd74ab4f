import { expect } from 'chai';
import { createManualClock } from '../../../lib/runtime/manual-clock.ts';
import type { KinesisError } from '../../../lib/streams/kinesis-error.ts';
import type { ReadFrom, SubscriptionPage } from '../../../lib/streams/kinesis.ts';
import { createMemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';

const shardId = 'shardId-000000000000';
const start: ReadFrom = { type: 'TRIM_HORIZON' };
const hourMs = 3_600_000;

function setUp() {
  const clock = createManualClock({ startMs: 10 * hourMs });
  const kinesis = createMemoryKinesis({ clock });
  kinesis.createStream('s', 1);
  const put = (...texts: string[]) =>
    kinesis.put(
      's',
      texts.map((text) => ({ partitionKey: text, data: Buffer.from(text) })),
    );
  const read = async (from: ReadFrom = start) =>
    kinesis.read('s', await kinesis.iterator('s', shardId, from), 10);
  return { clock, kinesis, put, read };
}

function texts(page: { readonly records: readonly { readonly data: Uint8Array }[] }): readonly string[] {
  return page.records.map(({ data }) => Buffer.from(data).toString());
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error as KinesisError).code,
  );
}

describe('Kinesis in memory: time', () => {
  it('is behind by the age of the last record read, until the tip', async () => {
    const { clock, kinesis, put } = setUp();
    await put('a', 'b');
    await clock.advance(700);
    const first = await kinesis.read('s', await kinesis.iterator('s', shardId, start), 1);
    const second = await kinesis.read('s', first.nextIterator ?? '', 1);
    expect([first.millisBehindLatest, second.millisBehindLatest]).to.deep.equal([700, 0]);
  });

  it('forgets records when their retention is over', async () => {
    const { clock, kinesis, put, read } = setUp();
    kinesis.setRetention('s', 24);
    await put('old');
    await clock.advance(23 * hourMs);
    await put('young');
    await clock.advance(2 * hourMs);
    expect(texts(await read())).to.deep.equal(['young']);
  });

  it('no longer lists a closed shard when all of it is past the retention', async () => {
    const { clock, kinesis } = setUp();
    kinesis.split('s', shardId);
    expect(await kinesis.listShards('s')).to.have.length(3);
    await clock.advance(25 * hourMs);
    const left = await kinesis.listShards('s');
    expect(left.map(({ parents }) => parents)).to.deep.equal([[shardId], [shardId]]);
    expect(await codeOf(kinesis.iterator('s', shardId, start))).to.equal('shard-not-found');
  });

  it('lists for a time the shards that were open then', async () => {
    const { clock, kinesis } = setUp();
    await clock.advance(hourMs);
    kinesis.split('s', shardId);
    const then = await kinesis.listShards('s', { type: 'AT_TIMESTAMP', timestampMs: 10 * hourMs + 1 });
    expect(then.map((shard) => shard.shardId)).to.deep.equal([shardId]);
    const horizon = await kinesis.listShards('s', { type: 'AT_TRIM_HORIZON' });
    expect(horizon.map((shard) => shard.shardId)).to.deep.equal([shardId]);
    const since = await kinesis.listShards('s', { type: 'FROM_TIMESTAMP', timestampMs: 11 * hourMs + 1 });
    expect(since).to.have.length(2);
  });

  it('refuses a time in the future as a place', async () => {
    const { kinesis } = setUp();
    const future: ReadFrom = { type: 'AT_TIMESTAMP', timestampMs: 11 * hourMs };
    expect(await codeOf(kinesis.iterator('s', shardId, future))).to.equal('invalid-position');
  });

  it('expires iterators after five minutes, or at once when told to', async () => {
    const { clock, kinesis } = setUp();
    const old = await kinesis.iterator('s', shardId, start);
    await clock.advance(299_999);
    const young = await kinesis.iterator('s', shardId, start);
    await kinesis.read('s', old, 1);
    await clock.advance(1);
    expect(await codeOf(kinesis.read('s', old, 1))).to.equal('iterator-expired');
    await kinesis.read('s', young, 1);
    kinesis.expireIterators();
    expect(await codeOf(kinesis.read('s', young, 1))).to.equal('iterator-expired');
  });

  it('reads on from the oldest record when the place was trimmed', async () => {
    const { kinesis, put, read } = setUp();
    await put('a', 'b', 'c');
    const [first, , last] = kinesis.recordsOf('s', shardId);
    kinesis.trim('s', shardId, last!.sequenceNumber);
    const after = await read({ type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: first!.sequenceNumber });
    expect(texts(after)).to.deep.equal(['c']);
  });
});

describe('Kinesis in memory: faults', () => {
  it('drops requests without effect, and responses after it', async () => {
    const { kinesis, put, read } = setUp();
    kinesis.faults.add({ on: 'put', times: 1, fault: { type: 'drop-request' } });
    kinesis.faults.add({ on: 'put', times: 1, fault: { type: 'drop-response' } });
    expect([await codeOf(put('a')), await codeOf(put('b')), await codeOf(put('c'))]).to.deep.equal([
      'kinesis-unavailable',
      'kinesis-unavailable',
      'no error',
    ]);
    expect(texts(await read())).to.deep.equal(['b', 'c']);
  });

  it('throttles the calls and streams of a rule, and no others', async () => {
    const { kinesis, put, read } = setUp();
    kinesis.createStream('other', 1);
    kinesis.faults.add({ on: 'put', stream: 'other', fault: { type: 'throttle' } });
    const other = kinesis.put('other', [{ partitionKey: 'a', data: new Uint8Array(1) }]);
    expect([await codeOf(other), await codeOf(put('a')), texts(await read())]).to.deep.equal([
      'throttled',
      'no error',
      ['a'],
    ]);
  });

  it('delays the effect of a call by the clock', async () => {
    const { clock, kinesis, put } = setUp();
    kinesis.faults.add({ on: 'put', times: 1, fault: { type: 'delay', ms: 50 } });
    const late = put('late');
    await put('soon');
    await clock.advance(50);
    await late;
    expect(texts({ records: kinesis.recordsOf('s', shardId) })).to.deep.equal(['soon', 'late']);
  });

  it('lets a call land after its caller has given it up', async () => {
    const { clock, kinesis, put } = setUp();
    kinesis.faults.add({ on: 'put', times: 1, fault: { type: 'land-late', ms: 50 } });
    expect(await codeOf(put('first'))).to.equal('kinesis-unavailable');
    await put('second');
    await clock.advance(50);
    expect(texts({ records: kinesis.recordsOf('s', shardId) })).to.deep.equal(['second', 'first']);
  });

  it('refuses entries one by one, as a shard without room does', async () => {
    const { kinesis, put } = setUp();
    kinesis.faults.add({ times: 1, fault: { type: 'refuse-entries', fails: (index) => index === 1 } });
    const outcomes = await put('a', 'b', 'c');
    expect(outcomes.map((outcome) => outcome.ok || outcome.code)).to.deep.equal([
      true,
      'ProvisionedThroughputExceededException',
      true,
    ]);
    expect(texts({ records: kinesis.recordsOf('s', shardId) })).to.deep.equal(['a', 'c']);
  });

  it('strikes by chance as the random source says', async () => {
    const draws = [0.2, 0.8];
    const clock = createManualClock();
    const kinesis = createMemoryKinesis({ clock, random: () => draws.shift() ?? 1 });
    kinesis.createStream('s', 1);
    kinesis.faults.add({ chance: 0.5, fault: { type: 'throttle' } });
    expect([await codeOf(kinesis.describe('s')), await codeOf(kinesis.describe('s'))]).to.deep.equal([
      'throttled',
      'no error',
    ]);
  });
});

describe('Kinesis in memory: subscriptions', () => {
  async function subscribed() {
    const parts = setUp();
    const consumer = await parts.kinesis.registerConsumer('s', 'reader');
    const stop = new AbortController();
    const open = (from: ReadFrom = start) =>
      parts.kinesis.subscribe(consumer, shardId, from, stop.signal)[Symbol.asyncIterator]();
    return { ...parts, open, stop };
  }

  it('end after five minutes', async () => {
    const { clock, open } = await subscribed();
    const pages: SubscriptionPage[] = [];
    const reading = (async () => {
      const subscription = open();
      for (let next = await subscription.next(); !next.done; next = await subscription.next())
        pages.push(next.value);
    })();
    await clock.advance(300_000);
    await reading;
    expect(pages.length).to.be.greaterThan(1);
    expect(pages.every((page) => page.records.length === 0 && page.millisBehindLatest === 0)).to.equal(true);
  });

  it('are taken over by a newer one after five seconds', async () => {
    const { clock, open } = await subscribed();
    const older = open();
    await older.next();
    await clock.advance(5_000);
    const newer = open();
    await newer.next();
    expect(await codeOf(older.next())).to.equal('resource-in-use');
    expect(await codeOf(newer.return!(undefined))).to.equal('no error');
  });

  it('are free again as soon as their reader stops reading', async () => {
    const { open } = await subscribed();
    const first = open();
    await first.next();
    await first.return!(undefined);
    expect(await codeOf(open().next())).to.equal('no error');
  });

  it('fail when the connection is cut', async () => {
    const { kinesis, open, put } = await subscribed();
    const subscription = open();
    await subscription.next();
    await put('a');
    kinesis.cutSubscriptions();
    expect(await codeOf(subscription.next())).to.equal('kinesis-unavailable');
  });

  it('go on from an empty page without missing the next record', async () => {
    const { kinesis, open, put, stop } = await subscribed();
    const empty = await open({ type: 'LATEST' }).next();
    await put('a');
    const other = await kinesis.registerConsumer('s', 'other');
    const sequenceNumber = empty.value.continuationSequenceNumber;
    const from: ReadFrom = { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber };
    const pages = kinesis.subscribe(other, shardId, from, stop.signal);
    expect(texts((await pages[Symbol.asyncIterator]().next()).value)).to.deep.equal(['a']);
  });

  it('deliver what came while the reader was busy with a page', async () => {
    const { open, put } = await subscribed();
    const subscription = open();
    const empty = await subscription.next();
    await put('a');
    const next = await subscription.next();
    expect([texts(empty.value), texts(next.value)]).to.deep.equal([[], ['a']]);
  });
});
