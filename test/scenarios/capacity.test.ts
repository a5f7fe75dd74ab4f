import { expect } from 'chai';
import { createStage, eventsOf, shardId, type StageWorker, stream, texts } from './support/stage.ts';

describe('scenario 34: more shards than all workers together may hold', function () {
  this.timeout(20_000);
  const leases = { maxLeases: 2 };

  it('reads those first whose checkpoints are furthest back', async () => {
    const stage = createStage(6);
    const firstHashKeys = stage.kinesis.shardsOf(stream).map((shard) => shard.startingHashKey);
    const first = stage.start('first');
    // Each shard's last record is put later than that of the shard before it; 5 and 2 are left furthest behind.
    for (const n of [5, 2, 0, 4, 1, 3]) {
      const explicitHashKey = firstHashKeys[n]!;
      await stage.put([{ partitionKey: 'any', explicitHashKey, data: new TextEncoder().encode(`for ${n}`) }]);
      await stage.clock.advance(10_000);
    }
    first.stop();
    await stage.until('the first worker has stopped', first.ended, 30_000);
    const small = stage.start('small', { leases });
    await stage.until('it has all that it may hold', () => small.shards().length === 2, 15_000);
    expect([...small.shards()].sort()).to.deep.equal([shardId(2), shardId(5)]);
    await stage.end();
  });

  it('says how many wait, moves nothing to and fro, and takes the rest with a worker that joins', async () => {
    const stage = createStage(6);
    const workers: StageWorker[] = [stage.start('a', { leases }), stage.start('b', { leases })];
    await stage.put(texts(60));
    await stage.until('both are full', () => workers.every(({ shards }) => shards().length === 2), 15_000);
    await stage.clock.advance(5_000);
    const before = workers.map((worker) => [...worker.shards()].sort());
    await stage.clock.advance(600_000);
    expect(workers.map((worker) => [...worker.shards()].sort())).to.deep.equal(before);
    const moves = ['lease-lost', 'lease-handed-over', 'lease-released', 'handoff-requested'] as const;
    for (const type of moves)
      expect(
        workers.flatMap((worker) => eventsOf(worker, type)),
        type,
      ).to.deep.equal([]);
    const full = workers.map((worker) => eventsOf(worker, 'at-capacity').at(-1));
    expect(full).to.deep.equal([2, 2].map((waiting) => ({ type: 'at-capacity', maxLeases: 2, waiting })));
    expect(workers.map(({ consumer }) => consumer.unowned())).to.deep.equal([2, 2]);
    const joined = stage.start('c', { leases });
    await stage.until('all shards are read', () => stage.audit.undelivered() === 0, 15_000);
    expect(joined.shards()).to.have.length(2);
    await stage.end();
  });
});
