import { expect } from 'chai';
import type { LeaseWrite } from '../../lib/leases/lease-writes.ts';
import { seededRandom } from '../support/lease-workers.ts';
import {
  createStage,
  eventsOf,
  failoverMs,
  shardId,
  type Stage,
  type StageWorker,
  stream,
  type WorkerPlan,
} from './support/stage.ts';

const isFinish = ({ set }: LeaseWrite): boolean => set.checkpoint === 'SHARD_END';
/** From the last sign of life of an owner to the work of another. */
const takeoverMs = failoverMs + 5_000;

function openShards({ kinesis }: Stage): readonly string[] {
  const open = kinesis.shardsOf(stream).filter((shard) => shard.endingSequenceNumber === undefined);
  return open.map((shard) => shard.shardId);
}

/** Which shards are in work, each as often as it is. */
function inWork(workers: readonly StageWorker[]): readonly string[] {
  return workers
    .filter(({ clock }) => !clock.frozen())
    .flatMap(({ shards }) => shards())
    .sort();
}

/** Shards that were read to their end and whose leases do not say so. */
function drainedButNotFinished({ kinesis, table }: Stage): readonly string[] {
  const closed = kinesis.shardsOf(stream).filter((shard) => shard.endingSequenceNumber !== undefined);
  return closed
    .map((shard) => shard.shardId)
    .filter((key) => table.items.has(key) && table.items.get(key)?.checkpoint !== 'SHARD_END');
}

describe('scenario 14: a split storm', function () {
  this.timeout(60_000);

  it('64 shards split twice while a worker is killed each 5 s: all descendants are read, in order, none is left behind', async () => {
    const stage = createStage(64);
    const random = seededRandom(14);
    const workers: StageWorker[] = [];
    const join = (): void => void workers.push(stage.start(`w${workers.length}`));
    for (let i = 0; i < 4; i += 1) join();
    await stage.putEach(2, 'first');
    await stage.clock.advance(5_000);
    for (const round of ['second', 'third']) {
      for (const [index, shard] of openShards(stage).entries()) {
        stage.kinesis.split(stream, shard);
        if (index % 16 !== 15) continue;
        const living = workers.filter(({ clock }) => !clock.frozen());
        living[Math.floor(random() * living.length)]?.freeze();
        join();
        await stage.clock.advance(5_000);
      }
      await stage.putEach(2, round);
    }
    await stage.until('everything is read', () => stage.audit.undelivered() === 0, 4 * takeoverMs);
    const owned = (): boolean => String(inWork(workers)) === String([...openShards(stage)].sort());
    await stage.until('every open shard is in work, once', owned, takeoverMs);
    expect(openShards(stage)).to.have.length(256);
    expect(drainedButNotFinished(stage)).to.deep.equal([]);
    await stage.end();
  });
});

describe('scenario 15: a merge', function () {
  this.timeout(20_000);

  /** Two parents with ten records each, merged; ten more on the child. `between` happens before the merge. */
  async function merged(between: (stage: Stage) => Promise<void>): Promise<Stage> {
    const stage = createStage(2);
    await stage.putEach(10, 'parent');
    await between(stage);
    stage.kinesis.merge(stream, shardId(0), shardId(1));
    await stage.putEach(10, 'child');
    return stage;
  }
  const childBegan = (worker: StageWorker): boolean =>
    eventsOf(worker, 'shard-started').some((event) => event.shardId === shardId(2));

  it('with a parent that is slow to finish: the child waits for it', async () => {
    let slow = true;
    const stage = await merged(async (early) => {
      const handle: WorkerPlan['handle'] = async (_, context) => {
        while (slow && context.shardId === shardId(1)) await early.clock.sleep(1_000);
      };
      early.start('a', { handle });
      await early.clock.advance(2_000);
    });
    const [a] = stage.workers as [StageWorker];
    await stage.clock.advance(30_000);
    expect(childBegan(a)).to.equal(false);
    slow = false;
    await stage.until('the child is read', () => stage.audit.undelivered() === 0, 10_000);
    await stage.end();
  });

  it('with a parent whose owner has crashed: the child begins after another has finished it', async () => {
    const stage = await merged(async (early) => {
      const stuck: WorkerPlan['handle'] = async () => early.clock.sleep(1_000_000);
      const a = early.start('a', { leases: { maxLeases: 1 } });
      const b = early.start('b', { leases: { maxLeases: 1 }, handle: stuck });
      await early.until('each has one', () => a.shards().length === 1 && b.shards().length === 1, 15_000);
    });
    const [, b] = stage.workers as [StageWorker, StageWorker];
    b.freeze();
    await stage.until('all is read', () => stage.audit.undelivered() === 0, takeoverMs + 5_000);
    await stage.end();
  });

  it('with a parent that has no lease yet, as its own parent is still being read: the child waits for all of them', async () => {
    const stage = createStage(2);
    await stage.putEach(10, 'first');
    let slow = true;
    const a = stage.start('a', {
      handle: async (_, context) => {
        while (slow && context.shardId === shardId(1)) await stage.clock.sleep(1_000);
      },
    });
    await stage.clock.advance(2_000);
    // 1 becomes 2 and 3; then 0 and 2 become 4.
    stage.kinesis.split(stream, shardId(1));
    await stage.putEach(10, 'second');
    stage.kinesis.merge(stream, shardId(0), shardId(2));
    await stage.putEach(10, 'third');
    await stage.clock.advance(90_000);
    expect(a.shards()).to.deep.equal([shardId(1)]);
    slow = false;
    await stage.until('all is read', () => stage.audit.undelivered() === 0, 15_000);
    await stage.end();
  });

  it('with a parent that has no lease: it is made and read first, within a round of repair', async () => {
    const stage = await merged(async (early) => {
      const a = early.start('a');
      await early.until('both are read', () => early.audit.undelivered() === 0, 10_000);
      a.stop();
      await early.until('it has ended', a.ended, 10_000);
      await early.putEach(10, 'more');
      early.table.items.delete(shardId(1));
    });
    stage.start('b');
    await stage.until('all is read', () => stage.audit.undelivered() === 0, 60_000 + takeoverMs);
    await stage.end();
  });

  it('with parents that are gone, leases and shards: the child does not wait for them', async () => {
    const stage = await merged(async (early) => {
      early.start('a');
      await early.until('both are read', () => early.audit.undelivered() === 0, 10_000);
    });
    const [a] = stage.workers as [StageWorker];
    await stage.until('the child is read', () => stage.audit.undelivered() === 0, 10_000);
    const gone = (): boolean => [...stage.table.items.keys()].join() === shardId(2);
    await stage.until('the parents’ leases are removed', gone, 130_000);
    a.freeze();
    const b = stage.start('b');
    await stage.until('another reads the child', () => b.shards().join() === shardId(2), takeoverMs);
    await stage.end();
  });
});

describe('scenario 16: a crash at the end of a shard', function () {
  this.timeout(20_000);

  const points: readonly {
    readonly what: string;
    readonly crash: (a: StageWorker) => void;
    readonly when?: number;
  }[] = [
    {
      what: 'before the first child’s lease',
      crash: (a) => void a.line.fault({ on: 'insert', fault: { type: 'drop-request' } }),
    },
    { what: 'between the two children’s leases', crash: () => {}, when: 1 },
    {
      what: 'after the children’s leases, before SHARD_END',
      crash: (a) => void a.line.fault({ on: 'update', where: isFinish, fault: { type: 'drop-request' } }),
    },
    {
      what: 'after SHARD_END, before its answer',
      crash: (a) => void a.line.fault({ on: 'update', where: isFinish, fault: { type: 'drop-response' } }),
    },
  ];
  for (const { what, crash, when } of points) {
    it(`${what}: the next owner completes it; each child has one lease, nothing is lost`, async () => {
      const stage = createStage(1);
      let children = 0;
      const a = stage.start('a', {
        onEvent: (event, { clock }) => {
          if (event.type !== 'lease-created' || event.leaseKey === shardId(0)) return;
          children += 1;
          if (children === when) clock.freeze('stopped');
        },
      });
      await stage.putEach(10, 'parent');
      await stage.until('the parent is read', () => stage.audit.undelivered() === 0, 10_000);
      crash(a);
      stage.kinesis.split(stream, shardId(0));
      await stage.putEach(10, 'child');
      const atPoint = (): boolean =>
        a.clock.frozen() || a.events.some((event) => event.type === 'call-failed');
      await stage.until('it is at that point', atPoint, 10_000);
      a.freeze();
      const b = stage.start('b');
      await stage.until('all is read', () => stage.audit.undelivered() === 0, takeoverMs + 5_000);
      await stage.clock.advance(5_000);
      expect(eventsOf(b, 'shard-started').filter((event) => event.shardId !== shardId(0))).to.have.length(2);
      expect([...stage.table.items.keys()].sort()).to.deep.equal([0, 1, 2].map(shardId));
      expect(stage.table.items.get(shardId(0))).to.deep.include({
        checkpoint: 'SHARD_END',
        childShardIds: new Set([shardId(1), shardId(2)]),
      });
      await stage.end();
    });
  }
});
