import { expect } from 'chai';
import { failure } from '../support/lease-scene.ts';
import { createStage, eventsOf, failoverMs, shardId } from './support/stage.ts';

/** For how long after its last confirmed write a worker may act. */
const ownMs = 0.9 * failoverMs;

describe('scenario 21: the lease table', function () {
  this.timeout(20_000);

  it('missing at the start: the worker says which, and does not start', async () => {
    const stage = createStage(1);
    stage.table.drop();
    const a = stage.start('a');
    const refused = failure(a.done);
    await stage.until('it has given up', a.ended, 1_000);
    expect(await refused).to.include({ code: 'lease-table-missing' });
  });

  it('deleted while running: delivery stops, the worker ends with the reason, and nobody begins anew', async () => {
    const stage = createStage(4);
    const a = stage.start('a');
    const ended = failure(a.done);
    await stage.putEach(5, 'before');
    await stage.until('all is read', () => stage.audit.undelivered() === 0, 5_000);
    stage.table.drop();
    const droppedAtMs = stage.clock.monotonic();
    await stage.putEach(5, 'after');
    await stage.until('it has ended', a.ended, ownMs);
    expect(await ended).to.include({ code: 'lease-table-missing' });
    stage.table.restore();
    await stage.clock.advance(60_000);
    expect(stage.audit.delivered.filter(({ atMs }) => atMs > droppedAtMs + ownMs)).to.deep.equal([]);
    expect(stage.table.items.size).to.equal(0);
  });

  it('one item deleted under its holder: made again from what it holds, and nothing is read twice', async () => {
    const stage = createStage(2);
    const a = stage.start('a');
    await stage.putEach(5, 'before');
    await stage.clock.advance(10_000);
    const { checkpoint } = stage.table.items.get(shardId(1))!;
    stage.table.items.delete(shardId(1));
    await stage.until('it is back', () => stage.table.items.has(shardId(1)), failoverMs);
    expect(stage.table.items.get(shardId(1))).to.include({ checkpoint, leaseOwner: 'a' });
    expect(eventsOf(a, 'lease-restored')).to.deep.equal([{ type: 'lease-restored', leaseKey: shardId(1) }]);
    await stage.putEach(5, 'after');
    await stage.clock.advance(10_000);
    expect([eventsOf(a, 'lease-lost'), stage.audit.repeated(), stage.audit.undelivered()]).to.deep.equal([
      [],
      [],
      0,
    ]);
    await stage.end();
  });

  it('one item damaged: it is reported once and left as it is; the others go on; mended, it is read on', async () => {
    const stage = createStage(4);
    const a = stage.start('a');
    const b = stage.start('b');
    await stage.putEach(5, 'before');
    await stage.clock.advance(15_000);
    const whole = stage.table.items.get(shardId(2))!;
    const damaged = { ...whole, leaseCounter: 'many' };
    stage.table.items.set(shardId(2), damaged);
    await stage.clock.advance(30_000);
    await stage.putEach(5, 'after');
    await stage.clock.advance(30_000);
    expect(stage.table.items.get(shardId(2))).to.equal(damaged);
    for (const worker of [a, b]) {
      expect(worker.shards()).to.not.include(shardId(2));
      expect(eventsOf(worker, 'item-set-aside').map(({ leaseKey }) => leaseKey)).to.deep.equal([shardId(2)]);
    }
    expect([...a.shards(), ...b.shards()]).to.have.length(3);
    expect(stage.audit.undelivered()).to.equal(5);
    stage.table.items.set(shardId(2), { ...whole, leaseCounter: Number(whole.leaseCounter) + 1 });
    await stage.until('it is read again', () => stage.audit.undelivered() === 0, 2 * failoverMs + 5_000);
    await stage.end();
  });
});

describe('scenario 28: items of other kinds in the lease table', function () {
  this.timeout(20_000);

  it('are neither read as leases, nor counted, nor cleaned up, nor written', async () => {
    const stage = createStage(4);
    const foreign = [
      {
        leaseKey: 'Leader',
        entityType: 'LEADER',
        ownerName: 'java-1',
        recordVersionNumber: 'v',
        leaseDuration: '120000',
      },
      {
        leaseKey: 'Migration3.0',
        entityType: 'CLIENT_VERSION_MIGRATION',
        cv: 'CLIENT_VERSION_2X',
        mb: 'java-1',
        mts: 1,
      },
      {
        leaseKey: 'TableMigration3.5',
        entityType: 'TABLE_MIGRATION',
        tm: 'TABLE_MIGRATION_STATUS_INIT',
        mb: 'j',
        mts: 1,
      },
      { leaseKey: '1:orders:2', entityType: 'STREAM', streamId: '1:orders:2' },
      { leaseKey: 'java-1', entityType: 'WORKER_METRIC_STATS', lut: 1, sts: {}, opr: {} },
      {
        // But for its type it is a lease, and free.
        leaseKey: 'shardId-of-tomorrow',
        entityType: 'NOT_YET_INVENTED',
        leaseCounter: 0,
        ownerSwitchesSinceCheckpoint: 0,
        checkpoint: 'TRIM_HORIZON',
        checkpointSubSequenceNumber: 0,
      },
    ];
    for (const item of foreign) stage.table.items.set(item.leaseKey, item);
    const a = stage.start('a');
    const b = stage.start('b');
    await stage.putEach(5, 'r');
    const shared = (): boolean => a.shards().length === 2 && b.shards().length === 2;
    await stage.until('the shards are shared evenly, so nothing else was counted', shared, 15_000);
    await stage.clock.advance(180_000);
    expect([shared(), stage.audit.undelivered(), a.consumer.unowned()]).to.deep.equal([true, 0, 0]);
    for (const item of foreign) expect(stage.table.items.get(item.leaseKey)).to.equal(item);
    for (const worker of [a, b]) {
      const reported = eventsOf(worker, 'item-set-aside').map(({ leaseKey }) => leaseKey);
      expect(reported.sort()).to.deep.equal(foreign.map(({ leaseKey }) => leaseKey).sort());
    }
    await stage.end();
  });
});
