import { expect } from 'chai';
import type { ConsumerDiagnostic } from '../../../lib/consumer/diagnostics.ts';
import type { ReadPage } from '../../../lib/streams/kinesis.ts';
import { KinesisError } from '../../../lib/streams/kinesis-error.ts';
import { aggregate } from '../../../lib/streams/kpl.ts';
import { hashKeyOf } from '../../../lib/streams/hash-key.ts';
import { at, firstShard, recorder, scene, startMs, stream, testLease } from './scene.ts';

const hourMs = 3_600_000;

function lossesOf(diagnostics: readonly ConsumerDiagnostic[]) {
  return diagnostics.flatMap((d) => (d.type === 'data-loss' ? [{ after: d.after, before: d.before }] : []));
}

describe('polling', () => {
  it('asks for a new iterator after the last record when one has expired: none twice, none missing', async () => {
    const { clock, kinesis, put, run, types } = scene();
    await put('a', 'b');
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(100);
    await put('c');
    kinesis.expireIterators();
    await clock.advance(3_000);
    expect(processor.seen).to.deep.equal(['a', 'b', 'c']);
    expect(types()).to.include('iterator-expired');
    expect(types()).to.not.include('data-loss');
    lease.drain();
    await running.outcome;
  });

  it('misses nothing when an iterator at LATEST is lost before the first record', async () => {
    const { clock, kinesis, put, run } = scene();
    await put('before');
    await clock.advance(1_000);
    const lease = testLease(firstShard, { checkpoint: { type: 'LATEST' } });
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(500);
    await put('between');
    kinesis.expireIterators();
    await clock.advance(5_000);
    expect(processor.seen).to.deep.equal(['between']);
    lease.drain();
    await running.outcome;
  });

  it('waits longer and longer while it is throttled, and says so only when that lasts', async () => {
    const { clock, kinesis, put, run, types } = scene();
    await put('a');
    let refused = 0;
    const read: typeof kinesis.read = (...call) => {
      if (refused === 7) return kinesis.read(...call);
      refused += 1;
      return Promise.reject(new KinesisError('throttled', 'rate exceeded'));
    };
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor, { ...kinesis, read });
    // With random 0 the pauses are half of 250, 500, 1000, 2000, 4000, 5000 and 5000 ms.
    await clock.advance(8_874);
    expect(processor.seen).to.deep.equal([]);
    await clock.advance(1);
    expect(processor.seen).to.deep.equal(['a']);
    expect(types().filter((type) => type === 'read-throttled')).to.have.length(3);
    lease.drain();
    await running.outcome;
  });

  it('reads no further ahead than its pages and bytes allow', async () => {
    const { budget, clock, kinesis, put, run } = scene({
      recordsPerReadMax: 1,
      prefetchPagesMax: 2,
      readMs: 0,
    });
    await put('a', 'b', 'c', 'd', 'e', 'f');
    let reads = 0;
    const read: typeof kinesis.read = (...call) => {
      reads += 1;
      return kinesis.read(...call);
    };
    const lease = testLease(firstShard);
    const processor = recorder({ onProcess: () => clock.sleep(1_000) });
    const running = run(lease, processor, { ...kinesis, read });
    await clock.advance(500);
    expect(reads, 'one in work, two waiting').to.equal(3);
    expect(budget.used, 'a byte of data each, and what a record takes beside it').to.equal(3 * 1_025);
    await clock.advance(600);
    expect(reads).to.equal(4);
    lease.drain();
    await clock.advance(1_000);
    expect(running.over()).to.equal('drained');
    expect(budget.used).to.equal(0);
  });

  it('treats a shard as ended when it is gone, and reports what may have been lost with it', async () => {
    const { clock, kinesis, put, run, diagnostics } = scene();
    const [first] = await put('a');
    const read = () => Promise.reject(new KinesisError('shard-not-found', 'gone'));
    const listShards = async () => [];
    const lease = testLease(firstShard, { checkpoint: at(first!) });
    const running = run(lease, recorder(), { ...kinesis, read, listShards });
    await clock.advance(100);
    expect(running.over()).to.equal('shard-end');
    expect(lease.log.finished?.children).to.deep.equal([]);
    expect(lossesOf(diagnostics)).to.deep.equal([{ after: first, before: undefined }]);
  });

  it('does not believe that a shard is gone while the stream still lists it', async () => {
    const { clock, kinesis, put, run } = scene();
    await put('a');
    let lies = 3;
    const iterator: typeof kinesis.iterator = (...call) => {
      lies -= 1;
      if (lies >= 0) return Promise.reject(new KinesisError('shard-not-found', 'not known here yet'));
      return kinesis.iterator(...call);
    };
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor, { ...kinesis, iterator });
    await clock.advance(5_000);
    expect(processor.seen).to.deep.equal(['a']);
    lease.drain();
    await running.outcome;
  });

  it('finds the children itself where the last page does not name them', async () => {
    const { clock, kinesis, run } = scene();
    const children = kinesis.split(stream, firstShard);
    const read: typeof kinesis.read = async (...call) => ({
      ...(await kinesis.read(...call)),
      childShards: [],
    });
    const lease = testLease(firstShard);
    const running = run(lease, recorder(), { ...kinesis, read });
    await clock.advance(500);
    expect(running.over()).to.equal('shard-end');
    expect(lease.log.finished?.children.map(({ shardId }) => shardId)).to.deep.equal(children);
  });

  it('regression: does not take one end without children for the end, in the middle of a closed shard', async () => {
    const { clock, kinesis, put, run } = scene();
    await put('a', 'b');
    kinesis.split(stream, firstShard);
    let reads = 0;
    const read: typeof kinesis.read = async (...call): Promise<ReadPage> => {
      reads += 1;
      return reads === 1 ? { records: [], millisBehindLatest: 0, childShards: [] } : kinesis.read(...call);
    };
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor, { ...kinesis, read });
    await clock.advance(500);
    expect(running.over()).to.equal('shard-end');
    expect(processor.seen).to.deep.equal(['a', 'b']);
  });

  it('reads again where an end comes without any children: a closed shard has some', async () => {
    const { clock, kinesis, put, run, types } = scene();
    await put('a');
    let lies = 3;
    const read: typeof kinesis.read = async (...call): Promise<ReadPage> => {
      const page = await kinesis.read(...call);
      lies -= 1;
      return lies < 0 ? page : { records: page.records, millisBehindLatest: 0, childShards: [] };
    };
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor, { ...kinesis, read });
    await clock.advance(2_000);
    await put('b');
    await clock.advance(2_000);
    expect(processor.seen).to.deep.equal(['a', 'b']);
    expect(types().filter((type) => type === 'read-failed')).to.have.length(3);
    lease.drain();
    await running.outcome;
  });

  it('asks for a new iterator when a shard that is behind yields nothing', async () => {
    const { clock, kinesis, put, run, diagnostics } = scene({ stalledMs: 10_000 });
    const stuck: ReadPage = {
      records: [],
      nextIterator: 'stuck',
      millisBehindLatest: 5_000,
      childShards: [],
    };
    const read: typeof kinesis.read = (name, iterator, ...rest) =>
      clock.monotonic() < 5_000 || iterator === 'stuck'
        ? Promise.resolve(stuck)
        : kinesis.read(name, iterator, ...rest);
    await put('a');
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor, { ...kinesis, read });
    await clock.advance(9_000);
    expect(processor.seen).to.deep.equal([]);
    await clock.advance(2_000);
    expect(processor.seen).to.deep.equal(['a']);
    expect(diagnostics.filter(({ type }) => type === 'progress-stalled')).to.have.length(1);
    lease.drain();
    await running.outcome;
  });
});

describe('a position that was trimmed', () => {
  it('is reported with the range, and reading goes on at the oldest record', async () => {
    const { clock, diagnostics, kinesis, put, run } = scene();
    const sequences = await put('a', 'b', 'c');
    kinesis.trim(stream, firstShard, sequences[2]!);
    const lease = testLease(firstShard, { checkpoint: at(sequences[0]!) });
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(1_000);
    expect(lossesOf(diagnostics)).to.deep.equal([{ after: sequences[0], before: sequences[2] }]);
    expect(processor.seen).to.deep.equal(['c']);
    lease.drain();
    await running.outcome;
  });

  it('is noticed where Kinesis goes on silently with a later record', async () => {
    const { clock, diagnostics, kinesis, put, run } = scene();
    const sequences = await put('a', 'b', 'c');
    const iterator: typeof kinesis.iterator = (name, shard, from) =>
      kinesis.iterator(
        name,
        shard,
        from.type === 'AT_SEQUENCE_NUMBER' ? { ...from, sequenceNumber: sequences[2]! } : from,
      );
    const lease = testLease(firstShard, { checkpoint: at(sequences[0]!) });
    const processor = recorder();
    const running = run(lease, processor, { ...kinesis, iterator });
    await clock.advance(1_000);
    expect(lossesOf(diagnostics)).to.deep.equal([{ after: sequences[0], before: sequences[2] }]);
    lease.drain();
    await running.outcome;
  });

  it('regression: is reported at the end of a closed shard of which nothing is left', async () => {
    const { clock, diagnostics, kinesis, put, run } = scene();
    const [first] = await put('a', 'b');
    await clock.advance(hourMs);
    kinesis.split(stream, firstShard);
    await clock.advance(23.5 * hourMs);
    const lease = testLease(firstShard, { checkpoint: at(first!) });
    const running = run(lease, recorder());
    await clock.advance(1_000);
    expect(running.over()).to.equal('shard-end');
    expect(lossesOf(diagnostics)).to.deep.equal([{ after: first, before: undefined }]);
  });

  it('is no loss where everything had been read by the time it was trimmed', async () => {
    const { clock, diagnostics, kinesis, put, run } = scene();
    const [first] = await put('a');
    const iterator: typeof kinesis.iterator = (name, shard, from) =>
      kinesis.iterator(name, shard, from.type === 'AT_SEQUENCE_NUMBER' ? { type: 'TRIM_HORIZON' } : from);
    await clock.advance(30 * hourMs);
    await put('b');
    const state = { readThroughMs: startMs + 29 * hourMs };
    const lease = testLease(firstShard, { checkpoint: at(first!), state });
    const processor = recorder();
    const running = run(lease, processor, { ...kinesis, iterator });
    await clock.advance(1_000);
    expect(processor.seen).to.deep.equal(['b']);
    expect(lossesOf(diagnostics)).to.deep.equal([]);
    lease.drain();
    await running.outcome;
  });

  it('stops the shard where that is the policy', async () => {
    const { clock, diagnostics, kinesis, put, run } = scene({ dataLoss: 'stop-shard' });
    const sequences = await put('a', 'b', 'c');
    kinesis.trim(stream, firstShard, sequences[2]!);
    const lease = testLease(firstShard, { checkpoint: at(sequences[0]!) });
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(1_000);
    expect(lossesOf(diagnostics)).to.have.length(1);
    expect(running.run.status().failure?.code).to.equal('data-loss');
    expect(processor.seen).to.deep.equal([]);
    lease.drain();
    await running.outcome;
  });

  it('saves once an hour how far a quiet shard was read', async () => {
    const { clock, put, run } = scene();
    await put('a');
    const lease = testLease(firstShard);
    const running = run(lease, recorder());
    await clock.advance(10_000);
    expect(lease.log.checkpoints).to.have.length(1);
    await clock.advance(hourMs);
    expect(lease.log.checkpoints).to.have.length(2);
    expect(lease.log.checkpoints[1]?.state['readThroughMs']).to.be.within(
      startMs + hourMs,
      startMs + hourMs + 10_000,
    );
    lease.drain();
    await running.outcome;
  });
});

describe('KPL aggregates', () => {
  const texts = Array.from({ length: 100 }, (_, index) => `user ${index}`);
  const users = texts.map((text) => ({ partitionKey: text, data: new TextEncoder().encode(text) }));

  it('are taken apart, and a crash inside one resumes behind the last user record that was done', async () => {
    const { clock, kinesis, run } = scene({ batchRecordsMax: 58, checkpointMs: 1 });
    await kinesis.put(stream, [{ partitionKey: 'aggregate', data: aggregate(users) }]);
    const first = testLease(firstShard);
    const before = recorder({
      onProcess: (batch) => (batch.includes('user 58') ? new Promise(() => {}) : clock.sleep(5)),
    });
    const crashing = run(first, before);
    await clock.advance(1_000);
    first.lose();
    await crashing.outcome;
    const upTo = first.log.checkpoints.at(-1)?.upTo;
    expect(upTo?.subSequenceNumber).to.equal(57);
    const second = testLease(firstShard, { checkpoint: upTo! });
    const after = recorder();
    const running = run(second, after);
    await clock.advance(1_000);
    expect([...before.seen, ...after.seen]).to.deep.equal(texts);
    second.drain();
    await running.outcome;
  });

  it('lose only those user records that belong to another shard', async () => {
    const { clock, kinesis, run, types } = scene();
    const [low, high] = kinesis.split(stream, firstShard);
    const shards = await kinesis.listShards(stream);
    const start = BigInt(shards.find(({ shardId }) => shardId === high)?.startingHashKey ?? '0');
    const ofLow = texts.filter((text) => hashKeyOf(text) < start);
    await kinesis.put(stream, [{ partitionKey: 'any', explicitHashKey: '0', data: aggregate(users) }]);
    const lease = testLease(low!);
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(1_000);
    expect(ofLow.length).to.be.within(1, 99);
    expect(processor.seen).to.deep.equal(ofLow);
    expect(types().filter((type) => type === 'foreign-user-record')).to.have.length(100 - ofLow.length);
    lease.drain();
    await running.outcome;
  });
});
