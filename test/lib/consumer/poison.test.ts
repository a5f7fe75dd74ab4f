import { expect } from 'chai';
import { BrokenInvariant, PlatformError } from '../../../lib/runtime/errors.ts';
import { at, firstShard, recorder, scene, stream, testLease, textOf } from './scene.ts';

const poison = (bad: string) => (texts: readonly string[]) => {
  if (texts.includes(bad)) throw new TypeError(`cannot handle ${bad}`);
};

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
    await clock.advance(5_000);
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
