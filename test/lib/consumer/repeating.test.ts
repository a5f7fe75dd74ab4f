import { expect } from 'chai';
import { at, firstShard, recorder, scene, testLease } from './scene.ts';

describe('a range that an earlier owner prepared', () => {
  const slow = () => {
    const made = scene({ batchRecordsMax: 1, checkpointMs: 100 });
    const processor = recorder({
      onProcess: () => made.clock.sleep(1_000),
      over: { wantsCheckpoint: () => true },
    });
    return { ...made, processor };
  };

  it('is repeated whole before anything is saved', async () => {
    const { clock, processor, put, run } = slow();
    const sequences = await put('a', 'b', 'c');
    const pending = { checkpoint: at(sequences[1]!), note: new Uint8Array() };
    const lease = testLease(firstShard, { pending });
    const running = run(lease, processor);
    await clock.advance(5_000);
    lease.drain();
    await running.outcome;
    const saved = new Set(lease.log.checkpoints.map(({ upTo }) => upTo.sequenceNumber));
    expect([...saved]).to.deep.equal(sequences.slice(1));
  });

  it('is left to the next owner when the shard is given up inside it', async () => {
    const { clock, processor, put, run } = slow();
    const sequences = await put('a', 'b', 'c');
    const pending = { checkpoint: at(sequences[1]!), note: new Uint8Array() };
    const lease = testLease(firstShard, { pending });
    const running = run(lease, processor);
    await clock.advance(500);
    lease.drain();
    await clock.advance(1_000);
    expect(running.over()).to.equal('drained');
    expect(processor.seen).to.deep.equal(['a']);
    expect(lease.log.checkpoints).to.deep.equal([]);
  });
});
