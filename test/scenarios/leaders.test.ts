import { expect } from 'chai';
import { createStage, eventsOf, failoverMs, type Stage, type StageWorker, stream } from './support/stage.ts';

const takeoverMs = failoverMs + 5_000;
/** Shards and leases are compared each minute, give or take a fifth. */
const repairMs = 72_000 + 3_000;
const workers = 6;
const shards = 24;
/** So small a limit that some survey and act for all, as in a fleet of hundreds. */
const leases = { surveyUnitsPerSecond: 0.01 };

async function largeFleet(seed: number): Promise<Stage> {
  const stage = createStage(shards, seed);
  for (let i = 0; i < workers; i += 1) stage.start(`w${i}`, { leases });
  await stage.putEach(3, 'first');
  await stage.clock.advance(30_000);
  return stage;
}

/** Who works on each shard; fails where two do. */
function owners({ workers: all }: Stage): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const worker of all.filter(({ clock }) => !clock.frozen())) {
    for (const shardId of worker.shards()) {
      expect(found.has(shardId), `${shardId} at ${found.get(shardId)} and ${worker.id}`).to.equal(false);
      found.set(shardId, worker.id);
    }
  }
  return found;
}

const taken = (worker: StageWorker): readonly string[] =>
  eventsOf(worker, 'lease-taken').map(({ leaseKey }) => leaseKey);

describe('scenario 12: two leaders', function () {
  this.timeout(60_000);

  it('whoever is paused, on duty or not, and acts on what it knew before: no lease flaps, all is read once', async () => {
    for (let victim = 0; victim < workers; victim += 1) {
      const stage = await largeFleet(victim + 1);
      const paused = stage.workers[victim]!;
      paused.freeze();
      await stage.clock.advance(5_000);
      stage.kinesis.split(stream, 'shardId-000000000003');
      const joined = stage.start('joined', { leases });
      await stage.until(
        'the others have all shards',
        () => owners(stage).size === shards + 1,
        takeoverMs + 5_000,
      );
      await stage.clock.advance(10_000);
      const before = stage.workers.map((worker) => taken(worker).length);
      paused.clock.thaw();
      await stage.clock.advance(60_000);
      expect(owners(stage).size, `${paused.id}`).to.equal(shards + 1);
      const moved = stage.workers.flatMap((worker, i) => taken(worker).slice(before[i]));
      expect(new Set(moved).size, `moved once: ${moved.join()}`).to.equal(moved.length);
      expect(joined.shards().length).to.be.at.least(2);
      await stage.putEach(3, 'last');
      await stage.until('all is read', () => stage.audit.undelivered() === 0, 5_000);
      await stage.end();
    }
  });
});

describe('scenario 13: the leader dies', function () {
  this.timeout(60_000);

  it('whoever dies: its leases go on within failover + 5 s, and a hole that it leaves is mended within two minutes', async () => {
    for (let victim = 0; victim < workers; victim += 1) {
      const stage = await largeFleet(10 + victim);
      const dead = stage.workers[victim]!;
      const [hole, ...others] = [...dead.shards()].sort();
      dead.freeze();
      stage.table.items.delete(hole!);
      const all = (): boolean => others.every((shardId) => owners(stage).has(shardId));
      await stage.until(`the leases of ${dead.id} go on`, all, takeoverMs);
      await stage.until('the hole is mended', () => owners(stage).size === shards, repairMs - takeoverMs);
      await stage.putEach(3, 'last');
      await stage.until('all is read', () => stage.audit.undelivered() === 0, 5_000);
      await stage.end();
    }
  });
});
