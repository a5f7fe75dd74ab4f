import { expect } from 'chai';
import { BrokenInvariant, PlatformError } from '../../../lib/runtime/errors.ts';
import { at, firstShard, recorder, scene, startMs, stream, testLease, textOf } from './scene.ts';

const poison = (bad: string) => (texts: readonly string[]) => {
  if (texts.includes(bad)) throw new TypeError(`cannot handle ${bad}`);
};

describe('consuming a shard', () => {
  it('delivers every record once and in order, and checkpoints after CHECKPOINT_MS', async () => {
    const { clock, put, run } = scene({ checkpointMs: 3_000 });
    const sequences = await put('a', 'b', 'c');
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(2_999);
    expect(processor.seen).to.deep.equal(['a', 'b', 'c']);
    expect(lease.log.checkpoints).to.deep.equal([]);
    await clock.advance(1);
    expect(lease.log.checkpoints.map(({ upTo }) => upTo)).to.deep.equal([at(sequences[2]!)]);
    expect(lease.log.checkpoints[0]?.state['seen']).to.equal(3);
    expect(processor.calls).to.deep.equal(['process', 'flush']);
    await clock.advance(10_000);
    expect(lease.log.checkpoints, 'nothing new: no write').to.have.length(1);
    lease.drain();
    await running.outcome;
  });

  it('starts behind the checkpoint, with the state that was saved with it', async () => {
    const { clock, put, run } = scene();
    const sequences = await put('a', 'b', 'c');
    const lease = testLease(firstShard, {
      checkpoint: at(sequences[1]!),
      state: { seen: 2, readThroughMs: 1 },
    });
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(100);
    expect(processor.seen).to.deep.equal(['c']);
    expect(processor.starts[0]?.state).to.deep.equal({ seen: 2 });
    expect(processor.starts[0]?.checkpoint).to.deep.equal({
      sequenceNumber: sequences[1],
      subSequenceNumber: 0,
    });
    lease.drain();
    await running.outcome;
  });

  it('gives the processor its pending checkpoint and its parents’ states back', async () => {
    const { clock, run } = scene();
    const note = new Uint8Array([1, 2]);
    const parents = [{ shardId: 'shardId-000000000009', state: { seen: 4 } }];
    const lease = testLease(firstShard, { pending: { checkpoint: at('77', 3), note }, parents });
    const processor = recorder();
    const running = run(lease, processor);
    await clock.advance(0);
    expect(processor.starts[0]?.pending).to.deep.equal({
      upTo: { sequenceNumber: '77', subSequenceNumber: 3 },
      note,
    });
    expect(processor.starts[0]?.parents).to.deep.equal(parents);
    lease.drain();
    await running.outcome;
  });

  it('begins LATEST and AT_TIMESTAMP leases at the time that was pinned when they were made', async () => {
    for (const type of ['LATEST', 'AT_TIMESTAMP'] as const) {
      const { clock, put, run } = scene();
      await put('before');
      await clock.advance(1_000);
      const lease = testLease(firstShard, { checkpoint: { type }, startAtMs: clock.now() });
      await put('after');
      const processor = recorder();
      const running = run(lease, processor);
      await clock.advance(100);
      expect(processor.seen).to.deep.equal(['after']);
      lease.drain();
      await running.outcome;
    }
  });

  it('writes a checkpoint at once when the processor asks for one', async () => {
    const { clock, put, run } = scene({ checkpointMs: 60_000 });
    await put('a');
    const lease = testLease(firstShard);
    let asks = false;
    const processor = recorder({
      onProcess: () => (asks = true),
      onFlush: () => (asks = false),
      over: { wantsCheckpoint: () => asks },
    });
    const running = run(lease, processor);
    await clock.advance(100);
    expect(lease.log.checkpoints).to.have.length(1);
    lease.drain();
    await running.outcome;
  });

  it('calls idle about once a second, only when the shard is caught up and empty', async () => {
    const { clock, put, run } = scene({ pollMs: 200 });
    const lease = testLease(firstShard);
    const idleAt: number[] = [];
    const processor = recorder({
      over: {
        idle: async (nowMs) => {
          idleAt.push(nowMs - startMs);
        },
      },
    });
    await put('a');
    const running = run(lease, processor);
    await clock.advance(2_500);
    expect(idleAt).to.have.length(3);
    expect(idleAt[0]).to.equal(200);
    lease.drain();
    await running.outcome;
  });

  it('repeats a flush that fails, and writes no checkpoint before it has worked', async () => {
    const { clock, put, run, types } = scene({ checkpointMs: 1_000, retryFirstMs: 100, retryMaxMs: 100 });
    await put('a');
    const lease = testLease(firstShard);
    let broken = true;
    const processor = recorder({
      onFlush: () => {
        if (broken) throw new Error('disk full');
      },
    });
    const running = run(lease, processor);
    await clock.advance(1_300);
    expect(lease.log.checkpoints).to.deep.equal([]);
    expect(types()).to.include('step-failed');
    broken = false;
    await clock.advance(100);
    expect(lease.log.checkpoints).to.have.length(1);
    lease.drain();
    await running.outcome;
  });

  it('goes on where a checkpoint was refused, and writes it later', async () => {
    const { clock, put, run, types } = scene({ checkpointMs: 1_000 });
    const [first, second] = await put('a', 'b');
    expect(first).to.not.equal(second);
    const lease = testLease(firstShard);
    lease.failures.push(new Error('throttled'));
    const running = run(lease, recorder());
    await clock.advance(1_500);
    expect(types()).to.include('checkpoint-failed');
    await clock.advance(1_000);
    expect(lease.log.checkpoints.map(({ upTo }) => upTo)).to.deep.equal([at(second!)]);
    lease.drain();
    await running.outcome;
  });
});

describe('draining a shard', () => {
  it('finishes the batch in flight, flushes, checkpoints and returns; reads nothing more', async () => {
    const { clock, put, run } = scene({ batchRecordsMax: 2 });
    const sequences = await put('a', 'b', 'c', 'd');
    const lease = testLease(firstShard);
    const processor = recorder({ onProcess: () => clock.sleep(1_000) });
    const running = run(lease, processor);
    await clock.advance(500);
    lease.drain();
    await clock.advance(499);
    expect(running.over()).to.equal(undefined);
    await clock.advance(1);
    expect(running.over()).to.equal('drained');
    expect(processor.seen).to.deep.equal(['a', 'b']);
    expect(lease.log.checkpoints.map(({ upTo }) => upTo)).to.deep.equal([at(sequences[1]!)]);
    expect(processor.stopped).to.deep.equal(['drained']);
    expect(clock.waiting(), 'no timer is left').to.equal(0);
  });

  it('leaves a batch that keeps failing to the next owner', async () => {
    const { clock, letters, put, run } = scene({ retryFirstMs: 1_000, retryMaxMs: 1_000 });
    await put('a', 'bad');
    const lease = testLease(firstShard);
    const running = run(lease, recorder({ onProcess: poison('bad') }));
    await clock.advance(100);
    lease.drain();
    await clock.settle();
    expect(running.over()).to.equal('drained');
    expect(lease.log.checkpoints).to.deep.equal([]);
    expect(letters).to.deep.equal([]);
  });

  it('tries a failing checkpoint again until the lease is lost', async () => {
    const { clock, put, run } = scene({ retryFirstMs: 100, retryMaxMs: 100 });
    await put('a');
    const lease = testLease(firstShard);
    const running = run(lease, recorder());
    await clock.advance(100);
    lease.failures.push(new Error('no'), new Error('no'));
    lease.drain();
    await clock.advance(150);
    expect(running.over()).to.equal('drained');
    expect(lease.log.checkpoints).to.have.length(1);
  });
});

describe('losing a shard', () => {
  it('delivers and checkpoints nothing more, even while a batch hangs', async () => {
    const { budget, clock, put, run } = scene({ batchRecordsMax: 1, checkpointMs: 100 });
    await put('a', 'b');
    const lease = testLease(firstShard);
    const processor = recorder({ onProcess: () => new Promise(() => {}) });
    const running = run(lease, processor);
    await clock.advance(5_000);
    lease.lose();
    await clock.settle();
    expect(running.over()).to.equal('lost');
    await put('c');
    await clock.advance(10_000);
    expect(processor.batches).to.deep.equal([['a']]);
    expect(lease.log.checkpoints).to.deep.equal([]);
    expect(processor.stopped).to.deep.equal(['lost']);
    expect(budget.used, 'all bytes are given back').to.equal(0);
    expect(clock.waiting(), 'no timer is left').to.equal(0);
  });

  it('does not deliver where the lease turns out to be lost right before', async () => {
    const { clock, put, run } = scene();
    await put('a');
    const lease = testLease(firstShard);
    const verify = () => Promise.reject(new PlatformError('lease-lost', 'the deadline has passed'));
    const processor = recorder();
    const running = run({ ...lease, lease: { ...lease.lease, verify } }, processor);
    await clock.advance(10);
    expect(running.over()).to.equal('lost');
    expect(processor.batches).to.deep.equal([]);
  });
});

describe('a record that cannot be handled', () => {
  it('is found by halving, set aside with its bytes and reason, and passed over; order is kept', async () => {
    const { clock, letters, put, run, types } = scene({ tries: 2, retryFirstMs: 10, retryMaxMs: 10 });
    const texts = ['a', 'b', 'c', 'bad', 'e', 'f', 'g'];
    const sequences = await put(...texts);
    const lease = testLease(firstShard);
    const deadLettered: string[] = [];
    const processor = recorder({
      onProcess: poison('bad'),
      over: {
        deadLettered: async (record) => void deadLettered.push(textOf(record)),
      },
    });
    const running = run(lease, processor);
    await clock.advance(1_000);
    expect(processor.seen).to.deep.equal(texts.filter((text) => text !== 'bad'));
    expect(letters).to.have.length(1);
    expect(new TextDecoder().decode(letters[0]?.data)).to.equal('bad');
    expect(letters[0]).to.deep.include({
      consumer: 'tests',
      stream,
      shardId: firstShard,
      sequenceNumber: sequences[3],
      subSequenceNumber: 0,
      partitionKey: 'bad',
      reason: 'handler-failed',
      error: 'cannot handle bad',
      tries: 2,
    });
    expect(deadLettered).to.deep.equal(['bad']);
    expect(types()).to.include.members(['batch-retried', 'batch-halved', 'record-dead-lettered']);
    lease.drain();
    await running.outcome;
    expect(lease.log.checkpoints.at(-1)?.upTo).to.deep.equal(at(sequences[6]!));
  });

  it('is never skipped: while the dead letters cannot be written the position stays before it', async () => {
    const { clock, letterFailures, letters, put, run } = scene({
      tries: 1,
      retryFirstMs: 10,
      retryMaxMs: 10,
      checkpointMs: 50,
    });
    const sequences = await put('a', 'bad', 'c');
    letterFailures.push(...Array.from({ length: 200 }, () => new Error('table is gone')));
    const lease = testLease(firstShard);
    const processor = recorder({ onProcess: poison('bad') });
    const running = run(lease, processor);
    await clock.advance(800);
    expect(processor.seen).to.deep.equal(['a']);
    lease.drain();
    await running.outcome;
    expect(letters).to.deep.equal([]);
    expect(lease.log.checkpoints.at(-1)?.upTo).to.deep.equal(at(sequences[0]!));
  });

  it('stops the shard where that is the policy; what came before is checkpointed and the lease stays held', async () => {
    const { clock, put, run, types } = scene({ poison: 'stop-shard', tries: 1 });
    const sequences = await put('a', 'bad', 'c');
    const lease = testLease(firstShard);
    const processor = recorder({ onProcess: poison('bad') });
    const running = run(lease, processor);
    await clock.advance(60_000);
    expect(running.over()).to.equal(undefined);
    expect(running.run.status()).to.deep.include({ state: 'stopped' });
    expect(running.run.status().failure?.code).to.equal('poison-record');
    expect(types()).to.include('shard-stopped');
    expect(lease.log.checkpoints.map(({ upTo }) => upTo)).to.deep.equal([at(sequences[0]!)]);
    expect(processor.seen).to.deep.equal(['a']);
    lease.drain();
    expect(await running.outcome).to.equal('drained');
  });

  it('stops the shard when too many come in a row, and only then', async () => {
    const onProcess = (texts: readonly string[]) => {
      if (texts.some((text) => text.startsWith('bad'))) throw new TypeError('bad');
    };
    const options = { deadLettersInRowMax: 2, tries: 1 };
    const good = scene(options);
    await good.put('bad1', 'bad2', 'c', 'bad3', 'bad4');
    const goodLease = testLease(firstShard);
    const going = good.run(goodLease, recorder({ onProcess }));
    await good.clock.advance(1_000);
    expect(good.letters).to.have.length(4);
    expect(going.run.status().state).to.equal('reading');

    const bad = scene(options);
    await bad.put('bad1', 'bad2', 'bad3', 'd');
    const stopped = bad.run(testLease(firstShard), recorder({ onProcess }));
    await bad.clock.advance(1_000);
    expect(bad.letters).to.have.length(2);
    expect(stopped.run.status().failure?.code).to.equal('dead-letter-limit');
  });

  it('is not what an outage makes of it: a retryable error is retried without end', async () => {
    const { clock, letters, put, run } = scene({ tries: 2, retryFirstMs: 10, retryMaxMs: 10 });
    await put('a', 'b');
    let down = true;
    const processor = recorder({
      onProcess: () => {
        if (down) throw new PlatformError('table-throttled', 'slow down', { retryable: true });
      },
    });
    const lease = testLease(firstShard);
    const running = run(lease, processor);
    await clock.advance(60_000);
    expect(letters).to.deep.equal([]);
    expect(processor.seen).to.deep.equal([]);
    down = false;
    await clock.advance(20);
    expect(processor.seen).to.deep.equal(['a', 'b']);
    lease.drain();
    await running.outcome;
  });

  it('ends the run when it is a broken invariant: that is no fault of a record', async () => {
    const { clock, letters, put, run } = scene();
    await put('a');
    const running = run(
      testLease(firstShard),
      recorder({
        onProcess: () => {
          throw new BrokenInvariant('one and one is three');
        },
      }),
    );
    const ended = running.outcome.then(
      () => undefined,
      (error: unknown) => error,
    );
    await clock.advance(10);
    expect(await ended).to.be.instanceOf(BrokenInvariant);
    expect(letters).to.deep.equal([]);
  });
});

describe('the end of a shard', () => {
  it('processes all, flushes and checkpoints, tells the processor, flushes again, then finishes with the children', async () => {
    const { clock, kinesis, put, run } = scene();
    const sequences = await put('a', 'b');
    const children = kinesis.split(stream, firstShard);
    const lease = testLease(firstShard);
    const order: string[] = [];
    const processor = recorder({
      onProcess: () => void order.push('process'),
      onFlush: () => void order.push(`flush after ${lease.log.checkpoints.length}`),
      over: { shardEnd: async () => void order.push('shardEnd') },
    });
    const running = run(lease, processor);
    await clock.advance(2_000);
    expect(running.over()).to.equal('shard-end');
    expect(order).to.deep.equal(['process', 'flush after 0', 'shardEnd', 'flush after 1']);
    expect(lease.log.checkpoints.map(({ upTo }) => upTo)).to.deep.equal([at(sequences[1]!)]);
    expect(lease.log.finished?.children.map(({ shardId }) => shardId)).to.deep.equal(children);
    expect(lease.log.finished?.children[0]?.parents).to.deep.equal([firstShard]);
    expect(processor.stopped).to.deep.equal(['shard-end']);
  });

  it('is also the end of a shard that never had a record', async () => {
    const { clock, kinesis, run } = scene();
    kinesis.split(stream, firstShard);
    const lease = testLease(firstShard);
    const running = run(lease, recorder());
    await clock.advance(2_000);
    expect(running.over()).to.equal('shard-end');
    expect(lease.log.checkpoints).to.deep.equal([]);
    expect(lease.log.finished?.children).to.have.length(2);
  });
});
