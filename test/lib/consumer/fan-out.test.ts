import { expect } from 'chai';
import type { Kinesis, SubscriptionPage } from '../../../lib/streams/kinesis.ts';
import { KinesisError } from '../../../lib/streams/kinesis-error.ts';
import { at, firstShard, recorder, scene, stream, testLease } from './scene.ts';

const options = { reading: 'fan-out' } as const;

describe('enhanced fan-out', () => {
  it('delivers what is pushed, and goes on after the service has ended the subscription', async () => {
    const { clock, put, run, types } = scene(options);
    await put('a');
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(1_000);
    expect(processor.seen).to.deep.equal(['a']);
    // Kinesis ends every subscription after five minutes.
    for (const text of ['b', 'c', 'd']) {
      await clock.advance(4 * 60_000);
      await put(text);
    }
    await clock.advance(10_000);
    expect(processor.seen).to.deep.equal(['a', 'b', 'c', 'd']);
    expect(types()).to.not.include('source-fell-back');
    lease.drain();
    await clock.settle();
    expect(running.over()).to.equal('drained');
    expect(clock.waiting(), 'no timer is left').to.equal(0);
  });

  it('takes a page from the connection when the budget has room for it; a wait for that is no silence', async () => {
    const { budget, clock, put, run, types } = scene({ ...options, budgetBytes: 2_000 });
    const others = await budget.share().reserve(2_000, new AbortController().signal);
    await put('a');
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(2 * 60_000);
    expect(processor.seen).to.deep.equal([]);
    others?.release();
    await clock.advance(1_000);
    expect(processor.seen).to.deep.equal(['a']);
    expect(types()).to.not.include('read-failed');
    lease.drain();
    await running.outcome;
    expect(budget.used, 'all bytes are given back').to.equal(0);
  });

  it('neither repeats nor misses a record when a subscription breaks', async () => {
    const { clock, kinesis, put, run } = scene(options);
    const sequences = await put('a', 'b');
    const lease = testLease(firstShard, { checkpoint: at(sequences[0]!) });
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(1_000);
    kinesis.cutSubscriptions();
    await put('c');
    await clock.advance(10_000);
    expect(processor.seen).to.deep.equal(['b', 'c']);
    lease.drain();
    await running.outcome;
  });

  it('goes on where a subscription ended, also before the first record', async () => {
    const { clock, kinesis, put, run } = scene(options);
    const opened: string[] = [];
    const subscribe: Kinesis['subscribe'] = (arn, shardId, from, signal) => {
      opened.push(from.type);
      return kinesis.subscribe(arn, shardId, from, signal);
    };
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor, { ...kinesis, subscribe });
    await clock.advance(6 * 60_000);
    await put('a');
    await clock.advance(1_000);
    expect(processor.seen).to.deep.equal(['a']);
    expect(opened).to.deep.equal(['TRIM_HORIZON', 'AFTER_SEQUENCE_NUMBER']);
    lease.drain();
    await running.outcome;
  });

  it('takes the subscription over from a shard’s last owner once five seconds have passed', async () => {
    const { clock, kinesis, put, run, types } = scene(options);
    await put('a');
    const arn = await kinesis.registerConsumer(stream, 'tests');
    const old = new AbortController();
    const pages = kinesis
      .subscribe(arn, firstShard, { type: 'TRIM_HORIZON' }, old.signal)
      [Symbol.asyncIterator]();
    await pages.next();
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(4_900);
    expect(processor.seen).to.deep.equal([]);
    await clock.advance(1_000);
    expect(processor.seen).to.deep.equal(['a']);
    expect(types()).to.not.include('source-fell-back');
    old.abort();
    lease.drain();
    await running.outcome;
  });

  it('falls back to polling when subscribing keeps failing, and comes back', async () => {
    const { clock, kinesis, put, run, types } = scene(options);
    await put('a');
    let broken = true;
    const registerConsumer: Kinesis['registerConsumer'] = (...call) =>
      broken
        ? Promise.reject(new KinesisError('access-denied', 'not allowed to kinesis:RegisterStreamConsumer'))
        : kinesis.registerConsumer(...call);
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor, { ...kinesis, registerConsumer });
    await clock.advance(15_000);
    expect(types()).to.include('source-fell-back');
    expect(processor.seen).to.deep.equal(['a']);
    broken = false;
    await clock.advance(5 * 60_000);
    await put('b');
    await clock.advance(2_000);
    expect(types()).to.include('source-came-back');
    expect(processor.seen).to.deep.equal(['a', 'b']);
    lease.drain();
    await running.outcome;
  });

  it('subscribes again when a subscription falls silent', async () => {
    const { clock, kinesis, put, run } = scene(options);
    let silent = true;
    const nothing = (): AsyncIterable<SubscriptionPage> => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    });
    const subscribe: Kinesis['subscribe'] = (arn, shardId, from, signal) => {
      if (!silent) return kinesis.subscribe(arn, shardId, from, signal);
      silent = false;
      return nothing();
    };
    await put('a');
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor, { ...kinesis, subscribe });
    await clock.advance(34_000);
    expect(processor.seen).to.deep.equal([]);
    await clock.advance(3_000);
    expect(processor.seen).to.deep.equal(['a']);
    lease.drain();
    await running.outcome;
  });

  it('ends with the children of a closed shard', async () => {
    const { clock, kinesis, put, run } = scene(options);
    await put('a');
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(1_000);
    const children = kinesis.split(stream, firstShard);
    await clock.advance(5_000);
    expect(running.over()).to.equal('shard-end');
    expect(lease.log.finished?.children.map(({ shardId }) => shardId)).to.deep.equal(children);
  });
});
