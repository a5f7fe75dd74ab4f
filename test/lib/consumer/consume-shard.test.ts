import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { PlatformError } from '../../../lib/runtime/errors.ts';
import { at, firstShard, recorder, scene, startMs, stream, testLease } from './scene.ts';

const poison = (bad: string) => (texts: readonly string[]) => {
  if (texts.includes(bad)) throw new TypeError(`cannot handle ${bad}`);
};

/** The collector is behind a flag, which may be set at any time. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

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

  it('writes a pending checkpoint with its note when the processor prepares one', async () => {
    const { clock, put, run } = scene();
    const [first] = await put('a');
    const lease = testLease(firstShard);
    const note = new Uint8Array([7]);
    const processor = recorder({
      over: {
        process: async ([record], context) => {
          await context.prepareCheckpoint(record!.position, note);
        },
      },
    });
    const running = run(lease, processor);
    await clock.advance(100);
    expect(lease.log.prepared).to.deep.equal([{ upTo: at(first!), note }]);
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

describe('a lease whose deadline passes while a batch is handled', () => {
  it('regression: is noticed before the flush, although no timer could tell yet', async () => {
    const { clock, put, run } = scene({ checkpointMs: 1 });
    await put('a');
    const lease = testLease(firstShard);
    let isOver = false;
    const verify = async () => {
      if (isOver) throw new PlatformError('lease-lost', 'the deadline has passed');
    };
    const processor = recorder({ onProcess: () => clock.sleep(20_000).then(() => (isOver = true)) });
    const running = run({ ...lease, lease: { ...lease.lease, verify } }, processor);
    await clock.advance(30_000);
    expect(running.over()).to.equal('lost');
    expect(processor.calls).to.deep.equal(['process']);
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

describe('many shards in one process', () => {
  it('hold nothing of a page that was handled while they wait for the next one', async () => {
    const { clock, kinesis, put, run } = scene();
    await put('a', 'b');
    const pages: WeakRef<object>[] = [];
    const read: typeof kinesis.read = async (...call) => {
      const page = await kinesis.read(...call);
      if (page.records.length > 0) pages.push(new WeakRef(page.records));
      return page;
    };
    const lease = testLease(firstShard);
    const processor = recorder();
    const running = run(lease, processor, { ...kinesis, read });
    await clock.advance(100);
    expect(processor.seen).to.deep.equal(['a', 'b']);
    // What a WeakRef was made for lives on until its task is over.
    await setImmediate();
    collectGarbage();
    expect(pages.map((page) => page.deref())).to.deep.equal([undefined]);
    lease.drain();
    await running.outcome;
  });

  it('hold no more bytes than the budget, however slow their handlers are, and none of them starves', async () => {
    const world = scene({ recordsPerReadMax: 3, readMs: 0, budgetBytes: 12 * 1_025, prefetchPagesMax: 5 });
    const { budget, clock, kinesis } = world;
    let shards: readonly string[] = [firstShard];
    for (let round = 0; round < 2; round += 1) {
      shards = shards.flatMap((shardId) => kinesis.split(stream, shardId));
    }
    const texts = Array.from({ length: 80 }, (_, index) => String(index % 10));
    for (const [index, text] of texts.entries()) {
      await kinesis.put(stream, [{ partitionKey: String(index), data: new TextEncoder().encode(text) }]);
    }
    let handled = 0;
    const seen = new Map<string, number>();
    const leases = shards.map((shardId) => testLease(shardId));
    const running = leases.map((lease) => {
      const onProcess = async (batch: readonly string[]) => {
        await clock.sleep(100);
        expect(budget.used).to.be.at.most(budget.limit);
        handled += batch.length;
        seen.set(lease.lease.shardId, handled);
      };
      return world.run(lease, recorder({ onProcess }));
    });
    await clock.advance(1_000);
    expect(seen.size, 'every shard had its turn').to.equal(4);
    for (let passed = 0; passed < 200 && handled < 80; passed += 1) {
      await clock.advance(100);
      expect(budget.used).to.be.at.most(budget.limit);
    }
    expect(handled).to.equal(80);
    for (const lease of leases) lease.drain();
    await Promise.all(running.map(({ outcome }) => outcome));
    expect(budget.used).to.equal(0);
  });
});
