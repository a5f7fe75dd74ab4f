import { expect } from 'chai';
import { plantJavaLeases, startJava } from '../../support/java-worker.ts';
import { leaseScene, ofType, stopAll } from '../../support/lease-scene.ts';

const ordinals = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('with workers of the Java KCL', function () {
  this.timeout(10_000);

  it('asks a KCL 3 to hand over its share, several leases in one round', async () => {
    const { clock, start, store } = leaseScene(8);
    plantJavaLeases(store.table, 'java', ordinals(8));
    const java = startJava({ id: 'java', kcl: 3, table: store.table, clock });
    const a = start('a');
    await clock.advance(10_000);
    expect([java.holds.size, a.working.size]).to.deep.equal([4, 4]);
    expect(ofType(a, 'handoff-requested')).to.have.length(4);
    expect(ofType(a, 'lease-taken').map((event) => 'reason' in event && event.reason)).not.to.include(
      'steal',
    );
    java.stop();
    await stopAll(clock, [a]);
  });

  it('takes from a KCL 2 by force, one lease a round, until the numbers are even', async () => {
    const { clock, start, store } = leaseScene(24);
    plantJavaLeases(store.table, 'java', ordinals(24));
    // As ours left it, before a KCL 2 took it.
    const measured = 'shardId-000000000003';
    store.table.items.set(measured, { ...store.table.items.get(measured), throughputKBps: 90_000 });
    const java = startJava({ id: 'java', kcl: 2, table: store.table, clock });
    const a = start('a', {
      work: async (lease) => {
        const over = AbortSignal.any([lease.drain, lease.lost]);
        for (let atMs = 0; !over.aborted; atMs += 1_000) {
          lease.observe({ bytes: 1_000_000, fromMs: atMs, toMs: atMs + 1_000 });
          await clock.sleep(1_000, over);
        }
      },
    });
    for (const ms of [60_000, 120_000]) {
      await clock.advance(ms);
      expect([java.holds.size, a.working.size]).to.deep.equal([12, 12]);
    }
    expect(ofType(a, 'handoff-requested')).to.have.length(0);
    java.stop();
    await stopAll(clock, [a]);
  });

  it('hands over to a KCL 3 that the leader has chosen, and leaves the lease to it', async () => {
    const { clock, start, store } = leaseScene(2);
    const a = start('a');
    await clock.advance(5_000);
    expect(a.working.size).to.equal(2);
    const java = startJava({ id: 'java', kcl: 3, table: store.table, clock, rules: () => 'led' });
    const leaseKey = 'shardId-000000000001';
    await clock.advance(1);
    const { offer: _, ...item } = store.table.items.get(leaseKey) ?? {};
    store.table.items.set(leaseKey, { ...item, leaseOwner: 'java', checkpointOwner: 'a' });
    await clock.advance(30_000);
    expect([...java.holds]).to.deep.equal([leaseKey]);
    expect([...a.working.keys()]).to.deep.equal(['shardId-000000000000']);
    java.stop();
    await stopAll(clock, [a]);
  });

  it('takes a lease back from a Java worker that never takes it up, after failover and hand-over time', async () => {
    const { clock, start, store } = leaseScene(2);
    const a = start('a');
    await clock.advance(5_000);
    const leaseKey = 'shardId-000000000001';
    store.table.items.set(leaseKey, {
      ...store.table.items.get(leaseKey),
      leaseOwner: 'gone',
      checkpointOwner: 'a',
    });
    await clock.advance(40_000);
    expect(a.working.has(leaseKey)).to.equal(false);
    await clock.advance(10_000);
    expect(a.working.has(leaseKey)).to.equal(true);
    await stopAll(clock, [a]);
  });

  it('takes it back after the failover time where that worker has let another lease expire', async () => {
    const { clock, start, store } = leaseScene(2);
    plantJavaLeases(store.table, 'java', [0]);
    const java = startJava({ id: 'java', kcl: 3, table: store.table, clock });
    const a = start('a');
    await clock.advance(5_000);
    const leaseKey = 'shardId-000000000001';
    expect([...a.working.keys()]).to.deep.equal([leaseKey]);
    const asked = { leaseOwner: 'java', checkpointOwner: 'a' };
    store.table.items.set(leaseKey, { ...store.table.items.get(leaseKey), ...asked });
    await clock.advance(2_000);
    java.stop();
    await clock.advance(15_000);
    expect(a.working.size).to.equal(2);
    await stopAll(clock, [a]);
  });

  it('ends a hand-off that its owner does not carry out', async () => {
    const { clock, start, store } = leaseScene(2);
    plantJavaLeases(store.table, 'java', [0]);
    // A KCL 2 knows nothing of hand-offs; this one goes on to renew whatever happens.
    const stubborn = new AbortController();
    void (async () => {
      for (; !stubborn.signal.aborted; await clock.sleep(3_000, stubborn.signal)) {
        const item = store.table.items.get('shardId-000000000000');
        const counter = Number(item?.leaseCounter) + 1;
        const asked = { leaseOwner: 'nobody', checkpointOwner: 'java' };
        if (item?.incarnation === undefined)
          store.table.items.set('shardId-000000000000', { ...item, ...asked, leaseCounter: counter });
      }
    })();
    const a = start('a');
    await clock.advance(39_000);
    expect(a.working.has('shardId-000000000000')).to.equal(false);
    await clock.advance(6_000);
    expect(a.working.has('shardId-000000000000')).to.equal(true);
    expect(ofType(a, 'lease-taken')).to.deep.include.members([
      { ...ofType(a, 'lease-taken').at(-1), reason: 'overdue', from: 'nobody' },
    ]);
    stubborn.abort();
    await stopAll(clock, [a]);
  });

  it('removes finished leases at once, so that a KCL 2 does not count them as its load', async () => {
    const { clock, kinesis, start, store } = leaseScene(1);
    const [left = '', right = ''] = kinesis.split('orders', 'shardId-000000000000');
    const parents = ['shardId-000000000000'];
    const children = [left, right].map((shardId) => ({
      shardId,
      parents,
      startingHashKey: '0',
      endingHashKey: '1',
    }));
    const a = start('a', {
      work: async (lease) => {
        if (lease.shardId === 'shardId-000000000000') {
          await clock.sleep(20_000);
          return lease.finish(children, {});
        }
        await clock.sleep(500);
        await lease.checkpoint({ type: 'POSITION', sequenceNumber: '9', subSequenceNumber: 0 }, {});
        await clock.sleep(1_000_000, AbortSignal.any([lease.drain, lease.lost]));
      },
    });
    await clock.advance(20_400);
    expect(store.table.items.get('shardId-000000000000')).to.include({
      checkpoint: 'SHARD_END',
      leaseOwner: 'a',
    });
    await clock.advance(5_000);
    expect([...store.table.items.keys()].sort()).to.deep.equal([left, right]);
    await stopAll(clock, [a]);
  });
});
