import { expect } from 'chai';
import type { Item } from '../../lib/leases/lease-item.ts';
import { createStage, eventsOf, failoverMs, shardId, type Stage, type StageWorker } from './support/stage.ts';

/** How often the Java KCL renews: a third of its failover time. */
const javaRenewMs = 3_300;

/**
 * A KCL 2.x worker as the lease table sees it: it moves the counter of what it owns, and takes by the counter alone,
 * leaving every attribute that it does not know as it is. Real ones run in test/interop (`npm run interop`).
 */
class JavaWorker {
  readonly #stage: Stage;
  readonly #id: string;

  constructor(stage: Stage, id: string) {
    this.#stage = stage;
    this.#id = id;
  }

  owned(): readonly string[] {
    return [...this.#stage.table.items].flatMap(([key, item]) => (item.leaseOwner === this.#id ? [key] : []));
  }

  steal(leaseKey: string): void {
    const item = this.#stage.table.items.get(leaseKey)!;
    const ownerSwitchesSinceCheckpoint = Number(item.ownerSwitchesSinceCheckpoint) + 1;
    this.#write(leaseKey, { ...item, leaseOwner: this.#id, ownerSwitchesSinceCheckpoint });
  }

  /** A round of renewals, and the time until the next. */
  async renew(): Promise<void> {
    for (const leaseKey of this.owned()) this.#write(leaseKey, this.#stage.table.items.get(leaseKey)!);
    await this.#stage.clock.advance(javaRenewMs);
  }

  #write(leaseKey: string, item: Item): void {
    this.#stage.table.items.set(leaseKey, { ...item, leaseCounter: Number(item.leaseCounter) + 1 });
  }
}

/** Items as KCL 2.x makes them: no attribute of ours. */
function javaLeases(stage: Stage, count: number, owner: string): void {
  for (let n = 0; n < count; n += 1) {
    stage.table.items.set(shardId(n), {
      leaseKey: shardId(n),
      leaseOwner: owner,
      leaseCounter: 7,
      ownerSwitchesSinceCheckpoint: 0,
      checkpoint: 'TRIM_HORIZON',
      checkpointSubSequenceNumber: 0,
    });
  }
}

const held = (worker: StageWorker): number => worker.shards().length;

describe('scenario 26: in one fleet with KCL 2.x, in its format (with real ones: npm run interop)', function () {
  this.timeout(20_000);

  it('we join and steal one lease at a time, by the counter, until it is even; what lives of Java’s is left alone then', async () => {
    const stage = createStage(6);
    javaLeases(stage, 6, 'java-1');
    const java = new JavaWorker(stage, 'java-1');
    await stage.putEach(5, 'r');
    const a = stage.start('a');
    let before = 0;
    for (let round = 0; round < 12; round += 1) {
      await java.renew();
      expect(held(a) - before, 'one at a time, so one in each of our looks').to.be.at.most(4);
      before = held(a);
    }
    expect([held(a), java.owned().length]).to.deep.equal([3, 3]);
    expect(new Set(eventsOf(a, 'lease-taken').map(({ reason }) => reason))).to.deep.equal(new Set(['steal']));
    await stage.end();
  });

  it('Java steals from us: we learn it by our next write, once, and deliver nothing of that shard any more', async () => {
    const stage = createStage(2);
    const java = new JavaWorker(stage, 'java-1');
    const a = stage.start('a');
    await stage.putEach(5, 'r');
    await stage.clock.advance(5_000);
    java.steal(shardId(1));
    for (let round = 0; round < 3; round += 1) await java.renew();
    const afterMs = stage.clock.monotonic();
    await stage.putEach(5, 'later');
    for (let round = 0; round < 6; round += 1) await java.renew();
    expect(eventsOf(a, 'lease-lost')).to.deep.equal([
      { type: 'lease-lost', leaseKey: shardId(1), reason: 'taken', to: 'java-1' },
    ]);
    const late = stage.audit.delivered.filter(({ atMs, shardId: id }) => atMs > afterMs && id === shardId(1));
    expect(late).to.deep.equal([]);
    await stage.end();
  });

  it('Java dies: we take what it had within failover + 5 s, from its checkpoints', async () => {
    const stage = createStage(4);
    javaLeases(stage, 4, 'java-1');
    const java = new JavaWorker(stage, 'java-1');
    await stage.putEach(5, 'r');
    const a = stage.start('a', { leases: { maxLeases: 4 } });
    for (let round = 0; round < 4; round += 1) await java.renew();
    await stage.until('all are ours', () => held(a) === 4, failoverMs + 5_000);
    await stage.until('all is read', () => stage.audit.undelivered() === 0, 2_000);
    await stage.end();
  });
});

describe('scenario 27: hand-offs by the fields of KCL 3.x (with real ones: npm run interop)', function () {
  this.timeout(20_000);

  it('a leader has us hand over: we finish, save, and assign; the next owner is named alone', async () => {
    const stage = createStage(2);
    const a = stage.start('a');
    await stage.putEach(5, 'r');
    await stage.clock.advance(5_000);
    const item = stage.table.items.get(shardId(0))!;
    stage.table.items.set(shardId(0), { ...item, leaseOwner: 'java-3', checkpointOwner: 'a' });
    await stage.until('it is handed over', () => eventsOf(a, 'lease-handed-over').length === 1, failoverMs);
    const after = stage.table.items.get(shardId(0))!;
    expect(after).to.include({ leaseOwner: 'java-3' });
    expect(after).to.not.have.property('checkpointOwner');
    expect(Number(after.leaseCounter)).to.be.greaterThan(Number(item.leaseCounter));
    expect(after.checkpoint).to.equal(stage.kinesis.recordsOf('orders', shardId(0)).at(-1)!.sequenceNumber);
    expect([eventsOf(a, 'lease-lost'), stage.audit.repeated()]).to.deep.equal([[], []]);
  });

  it('a leader gives us a lease in hand-off: we begin when its owner has let go, not before', async () => {
    const stage = createStage(2);
    javaLeases(stage, 2, 'java-3');
    const java = new JavaWorker(stage, 'java-3');
    const a = stage.start('a', { leases: { maxLeases: 1 } });
    await stage.putEach(5, 'r');
    const item = stage.table.items.get(shardId(0))!;
    const asked = { ...item, leaseOwner: 'a', checkpointOwner: 'java-3' };
    stage.table.items.set(shardId(0), asked);
    for (let ms = 0; ms < 20_000; ms += javaRenewMs) {
      const { leaseCounter } = stage.table.items.get(shardId(0))!;
      stage.table.items.set(shardId(0), { ...asked, leaseCounter: Number(leaseCounter) + 1 });
      await java.renew();
      expect(a.shards()).to.not.include(shardId(0));
    }
    const { checkpointOwner, ...given } = stage.table.items.get(shardId(0))!;
    expect(checkpointOwner).to.equal('java-3');
    stage.table.items.set(shardId(0), { ...given, leaseCounter: Number(given.leaseCounter) + 1 });
    await stage.until('we have begun', () => a.shards().includes(shardId(0)), 3_000);
    await stage.end();
  });
});
