import { expect } from 'chai';
import { LeaseStoreError } from '../../../lib/leases/lease-store.ts';
import { createLeaseStore, type LeaseTable } from '../../../lib/leases/table-lease-store.ts';
import { failure, leaseScene, ofType, refuse, stopAll } from '../../support/lease-scene.ts';
import { seededRandom, startWorker, type TestWorker } from '../../support/lease-workers.ts';

describe('failing over', function () {
  this.timeout(30_000);
  it('takes no longer than the failover time and five seconds, whenever the owner dies', async () => {
    const random = seededRandom(3);
    for (let i = 0; i < 12; i += 1) {
      const { clock, start } = leaseScene(6);
      const dying = clock.view();
      const a = start('a', { clock: dying, seed: i });
      await clock.advance(2_000);
      const b = start('b', { seed: 100 + i });
      await clock.advance(20_000 + Math.floor(random() * 6_000));
      const mine = [...a.working.keys()];
      dying.freeze('stopped');
      await clock.advance(15_000);
      expect([...b.working.keys()], `seed ${i}`).to.have.length(6);
      expect(mine.length).to.equal(3);
      await stopAll(clock, [b]);
    }
  });

  it('leaves nothing to an owner that was stopped for too long: it acts no more, and says so once', async () => {
    const { clock, start } = leaseScene(1);
    const sleeping = clock.view();
    const late: unknown[] = [];
    const a = start('a', {
      clock: sleeping,
      work: async (lease) => {
        await sleeping.sleep(12_000);
        late.push(await failure(lease.verify()));
      },
    });
    await clock.advance(1_000);
    const b = start('b');
    sleeping.freeze('stopped');
    await clock.advance(20_000);
    expect(b.working.size).to.equal(1);
    sleeping.thaw();
    await clock.advance(100);
    expect(late[0]).to.include({ code: 'lease-lost' });
    expect(ofType(a, 'lease-lost')).to.have.length(1);
    await stopAll(clock, [a, b]);
  });

  it('stops at the deadline in an outage of the table, and the same owners go on after it', async () => {
    const { clock, kinesis, store } = leaseScene(6);
    let out = false;
    const guard = async <T>(work: () => Promise<T>): Promise<T> => {
      if (out) throw new LeaseStoreError('lease-table-unavailable', 'simulated outage');
      return work();
    };
    const { table } = store;
    const flaky: LeaseTable = {
      insert: (key, item) => guard(() => table.insert(key, item)),
      update: (write) => guard(() => table.update(write)),
      remove: (write) => guard(() => table.remove(write)),
      get: (key) => guard(() => table.get(key)),
      ownedBy: (worker) => guard(() => table.ownedBy(worker)),
      pulses: (incarnation) => guard(() => table.pulses(incarnation)),
      scan: (segment) => (out ? refuse() : table.scan(segment)),
    };
    const workers = ['a', 'b'].map((id) =>
      startWorker({ id, clock, kinesis, store: createLeaseStore(flaky) }),
    );
    await clock.advance(20_000);
    const before = workers.map(({ working }) => [...working.keys()].sort());
    out = true;
    await clock.advance(3_000);
    expect(workers.map(({ working }) => working.size)).to.deep.equal([3, 3]);
    await clock.advance(57_000);
    expect(workers.map(({ working }) => working.size)).to.deep.equal([0, 0]);
    out = false;
    await clock.advance(10_000);
    expect(workers.map(({ working }) => [...working.keys()].sort())).to.deep.equal(before);
    await stopAll(clock, workers);
  });
});

describe('a large fleet, where two workers survey for all', function () {
  // Many workers in one process; the default is short on a machine that is busy.
  this.timeout(30_000);
  const options = { surveyUnitsPerSecond: 0.01 };
  const total = (workers: readonly TestWorker[]): number =>
    workers.reduce((sum, { working }) => sum + working.size, 0);

  it('takes over from whoever dies, on duty or not', async () => {
    for (const victim of [0, 1, 2, 3, 4, 5]) {
      const { clock, start } = leaseScene(24);
      const views = ['a', 'b', 'c', 'd', 'e', 'f'].map(() => clock.view());
      const workers = views.map((view, i) =>
        start('abcdef'.charAt(i), { clock: view, options, seed: victim * 10 + i }),
      );
      await clock.advance(30_000);
      views[victim]?.freeze('stopped');
      await clock.advance(20_000);
      const living = workers.filter((_, i) => i !== victim);
      expect(total(living), `without ${workers[victim]?.id}`).to.equal(24);
      await stopAll(clock, living);
    }
  });

  it('recovers although both on duty die at once: the others watch the first lease', async () => {
    const { clock, start } = leaseScene(24);
    const views = ['a', 'b', 'c', 'd', 'e'].map(() => clock.view());
    const workers = views.map((view, i) => start('abcde'.charAt(i), { clock: view, options }));
    await clock.advance(30_000);
    const first = workers.findIndex(({ working }) => working.has('shardId-000000000000'));
    const keys = Array.from({ length: 24 }, (_, i) => `shardId-${String(i).padStart(12, '0')}`);
    const owners = keys.map((key) => workers.findIndex(({ working }) => working.has(key)));
    const second = owners.find((owner) => owner !== first) ?? -1;
    views[first]?.freeze('stopped');
    views[second]?.freeze('stopped');
    await clock.advance(60_000);
    const living = workers.filter((_, i) => i !== first && i !== second);
    expect(total(living)).to.equal(24);
    await stopAll(clock, living);
  });

  it('gives a stopping worker’s leases to those that stay, within the time of two polls', async () => {
    const { clock, start } = leaseScene(24);
    const workers = ['a', 'b', 'c', 'd'].map((id) => start(id, { options }));
    await clock.advance(30_000);
    const [leaving, ...rest] = workers;
    leaving?.stop.abort();
    await clock.advance(2_400);
    expect(total(rest)).to.equal(24);
    const joined = start('z', { options });
    await clock.advance(10_000);
    expect(joined.working.size).to.be.within(5, 7);
    await stopAll(clock, [...rest, joined]);
  });
});

describe('worker ids', function () {
  this.timeout(10_000);
  it('refuses to start beside a running process with the same id, and leaves that one alone', async () => {
    const { clock, start } = leaseScene(4);
    const first = start('a', { options: { processId: 'one' } });
    await clock.advance(10_000);
    const second = start('a', { options: { processId: 'two' } });
    const refused = failure(second.done);
    await clock.advance(10_000);
    expect(await refused).to.include({ code: 'duplicate-worker' });
    expect(second.working.size).to.equal(0);
    expect(first.working.size).to.equal(4);
    expect(ofType(first, 'lease-lost')).to.deep.equal([]);
    await stopAll(clock, [first]);
  });

  it('gives a restarted worker its leases at once where its earlier process surely runs no more', async () => {
    const { clock, start } = leaseScene(4);
    const first = clock.view();
    start('a', { clock: first, options: { processId: 'one' } });
    await clock.advance(10_000);
    first.freeze('stopped');
    const again = start('a', { options: { processId: 'two', isGone: (id) => id === 'one' } });
    await clock.advance(500);
    expect(again.working.size).to.equal(4);
    await stopAll(clock, [again]);
  });

  it('gives them back within a renewal interval and a little where that is not known', async () => {
    const { clock, start } = leaseScene(4);
    const first = clock.view();
    start('a', { clock: first, options: { processId: 'one' } });
    await clock.advance(10_000);
    first.freeze('stopped');
    const again = start('a', { options: { processId: 'two' } });
    await clock.advance(8_500);
    expect(again.working.size).to.equal(4);
    await stopAll(clock, [again]);
  });
});

describe('trouble', function () {
  this.timeout(10_000);
  it('names the lease table that is missing, and does not start', async () => {
    const { clock, start, store } = leaseScene(1);
    store.table.drop();
    const refused = failure(start('a').done);
    await clock.advance(0);
    expect(await refused).to.include({ code: 'lease-table-missing' });
  });

  it('ends when the table is deleted under it, and does not begin anew on an empty one', async () => {
    const { clock, start, store } = leaseScene(2);
    const a = start('a');
    const ended = failure(a.done);
    await clock.advance(5_000);
    store.table.drop();
    await clock.advance(2_000);
    store.table.restore();
    await clock.advance(60_000);
    expect(await ended).to.include({ code: 'lease-table-missing' });
    expect(a.working.size).to.equal(0);
    expect(store.table.items.size).to.equal(0);
  });

  it('names the stream that does not exist, and does not start', async () => {
    const { clock, start } = leaseScene(1);
    const refused = failure(start('a', { streams: ['nowhere'] }).done);
    await clock.advance(0);
    expect(await refused).to.include({ code: 'stream-not-found' });
  });

  it('goes on past an item that was damaged or is none of ours, and reports each once', async () => {
    const { clock, start, store } = leaseScene(3);
    store.table.items.set('Leader', { leaseKey: 'Leader', entityType: 'LEADER' });
    store.table.items.set('odd', { leaseKey: 'odd', leaseCounter: 'x' });
    store.table.items.set('1:other:2:shard-1', {
      leaseKey: '1:other:2:shard-1',
      streamName: '1:other:2',
      shardId: 'shard-1',
      leaseCounter: 1,
      ownerSwitchesSinceCheckpoint: 0,
      checkpoint: 'LATEST',
      checkpointSubSequenceNumber: 0,
    });
    const a = start('a');
    await clock.advance(30_000);
    expect(a.working.size).to.equal(3);
    const asides = ofType(a, 'item-set-aside').map(
      (event) => event.type === 'item-set-aside' && event.leaseKey,
    );
    expect(asides).to.have.members(['1:other:2:shard-1', 'Leader', 'odd']);
    await stopAll(clock, [a]);
    expect(store.table.items.get('odd')).to.deep.equal({ leaseKey: 'odd', leaseCounter: 'x' });
  });

  it('holds no more than maxLeases, says so, and leaves the rest to others', async () => {
    const { clock, start } = leaseScene(6);
    const a = start('a', { options: { maxLeases: 2 } });
    await clock.advance(30_000);
    expect(a.working.size).to.equal(2);
    expect(ofType(a, 'at-capacity')).to.deep.equal([{ type: 'at-capacity', maxLeases: 2, waiting: 4 }]);
    expect(ofType(a, 'shard-unowned')).to.have.length(4);
    const b = start('b');
    await clock.advance(10_000);
    expect([a.working.size, b.working.size]).to.deep.equal([2, 4]);
    await stopAll(clock, [a, b]);
  });

  it('tries work that throws again after a pause that grows', async () => {
    const { clock, start } = leaseScene(1);
    let begun = 0;
    const a = start('a', {
      work: async () => {
        begun += 1;
        throw new Error('cannot');
      },
    });
    await clock.advance(60_000);
    expect(begun).to.be.within(4, 10);
    const pauses = ofType(a, 'work-failed').map((event) =>
      event.type === 'work-failed' ? event.pauseMs : 0,
    );
    expect(Math.max(...pauses)).to.be.greaterThan(8_000);
    await stopAll(clock, [a]);
  });

  it('takes leases from a worker that knows no hand-over one at a time, as KCL 2 does', async () => {
    const { clock, start, store } = leaseScene(4);
    const java = start('java');
    await clock.advance(5_000);
    await stopAll(clock, [java]);
    // A Java worker: owner and counter, none of our attributes.
    const renew = (): void => {
      for (const [key, item] of store.table.items) {
        if (item.leaseOwner === undefined || item.leaseOwner === 'java-1') {
          const { incarnation, offer, ...rest } = item;
          expect([incarnation, offer]).to.deep.equal([undefined, undefined]);
          store.table.items.set(key, {
            ...rest,
            leaseOwner: 'java-1',
            leaseCounter: Number(item.leaseCounter) + 1,
          });
        }
      }
    };
    renew();
    const a = start('a');
    for (let i = 0; i < 5; i += 1) {
      await clock.advance(2_000);
      renew();
    }
    expect(a.working.size).to.equal(2);
    expect(
      ofType(a, 'lease-taken').map((event) => event.type === 'lease-taken' && event.reason),
    ).to.deep.equal(['steal', 'steal']);
    await stopAll(clock, [a]);
  });
});
