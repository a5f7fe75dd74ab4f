import { expect } from 'chai';
import { createMemoryLeaseStore } from '../../../lib/leases/memory-lease-table.ts';
import { createManualClock } from '../../../lib/runtime/manual-clock.ts';
import { createMemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import type { LeaseEvent } from '../../../lib/leases/diagnostics.ts';
import type { HeldLease } from '../../../lib/leases/held-lease.ts';
import { LeaseStoreError } from '../../../lib/leases/lease-store.ts';
import { createLeaseStore, type LeaseTable } from '../../../lib/leases/table-lease-store.ts';
import {
  seededRandom,
  startWorker,
  type TestWorker,
  untilAsked,
  type WorkerSettings,
} from '../../support/lease-workers.ts';

function scene(shards: number) {
  const clock = createManualClock({ startMs: 1_700_000_000_000 });
  const kinesis = createMemoryKinesis({ clock });
  kinesis.createStream('orders', shards);
  const store = createMemoryLeaseStore();
  const start = (id: string, over: Partial<WorkerSettings> = {}): TestWorker =>
    startWorker({ id, clock, kinesis, store, ...over });
  return { clock, kinesis, store, start };
}

const ofType = (worker: TestWorker, type: LeaseEvent['type']): LeaseEvent[] =>
  worker.events.filter((event) => event.type === type);

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function stopAll(clock: { advance: (ms: number) => Promise<void> }, workers: readonly TestWorker[]) {
  for (const worker of workers) worker.stop.abort();
  await clock.advance(3_000);
  await Promise.all(workers.map(({ done }) => done));
}

describe('coordinator', () => {
  it('works on every shard of a fresh table within a second', async () => {
    const { clock, start } = scene(8);
    const worker = start('a');
    await clock.advance(1_000);
    expect(worker.working.size).to.equal(8);
    await stopAll(clock, [worker]);
    expect(worker.working.size).to.equal(0);
  });

  it('shares the leases with a worker that joins, by hand-over and not by force', async () => {
    const { clock, start } = scene(8);
    const a = start('a');
    await clock.advance(5_000);
    const b = start('b');
    await clock.advance(10_000);
    expect([a.working.size, b.working.size]).to.deep.equal([4, 4]);
    expect(a.events.filter((event) => event.type === 'lease-lost')).to.deep.equal([]);
    await stopAll(clock, [a, b]);
  });

  it('hands its leases to a living peer when it stops, within two seconds', async () => {
    const { clock, start } = scene(4);
    const a = start('a');
    const b = start('b');
    await clock.advance(15_000);
    a.stop.abort();
    await clock.advance(2_000);
    await a.done;
    expect(b.working.size).to.equal(4);
    await stopAll(clock, [b]);
  });

  it('takes over the leases of a worker that died', async () => {
    const { clock, start } = scene(4);
    const dying = clock.view();
    const a = start('a', { clock: dying });
    await clock.advance(1_000);
    expect(a.working.size).to.equal(4);
    const b = start('b');
    await clock.advance(10_000);
    dying.freeze('stopped');
    await clock.advance(15_000);
    expect(b.working.size).to.equal(4);
    await stopAll(clock, [b]);
  });

  it('reads the children of a shard after it has ended, at once', async () => {
    const { clock, kinesis, start } = scene(1);
    const children = kinesis.split('orders', 'shardId-000000000000').map((shardId) => ({
      shardId,
      parents: ['shardId-000000000000'],
      startingHashKey: '0',
      endingHashKey: '1',
    }));
    const parents: HeldLease['taken']['parents'][] = [];
    const worker = start('a', {
      work: async (lease) => {
        if (lease.shardId === 'shardId-000000000000') return lease.finish(children, { n: 1 });
        parents.push(lease.taken.parents);
        await untilAsked(lease);
      },
    });
    await clock.advance(100);
    expect([...worker.working.keys()].sort()).to.deep.equal(['shardId-000000000001', 'shardId-000000000002']);
    const parent = { shardId: 'shardId-000000000000', state: { n: 1 } };
    expect(parents).to.deep.equal([[parent], [parent]]);
    await stopAll(clock, [worker]);
  });

  it('cleans up a finished lease once its children have been read from', async () => {
    const { clock, kinesis, start, store } = scene(1);
    const [left = '', right = ''] = kinesis.split('orders', 'shardId-000000000000');
    const parents = ['shardId-000000000000'];
    const children = [left, right].map((shardId) => ({
      shardId,
      parents,
      startingHashKey: '0',
      endingHashKey: '1',
    }));
    const worker = start('a', {
      work: async (lease) => {
        if (lease.shardId === 'shardId-000000000000') return lease.finish(children, {});
        await lease.checkpoint({ type: 'POSITION', sequenceNumber: '9', subSequenceNumber: 0 }, {});
        await untilAsked(lease);
      },
    });
    await clock.advance(80_000);
    expect([...store.table.items.keys()].sort()).to.deep.equal([left, right]);
    // The parent is still listed by the stream; it must not be read again.
    await clock.advance(80_000);
    expect([...store.table.items.keys()].sort()).to.deep.equal([left, right]);
    await stopAll(clock, [worker]);
  });

  it('pins LATEST when the first lease is made, for whoever reads it first', async () => {
    const { clock, start } = scene(1);
    const starts: (number | undefined)[] = [];
    const work = async (lease: HeldLease): Promise<void> => {
      starts.push(lease.taken.startAtMs);
      await untilAsked(lease);
    };
    const a = start('a', { initial: { type: 'LATEST' }, work });
    await clock.advance(60_000);
    await stopAll(clock, [a]);
    const b = start('b', { initial: { type: 'LATEST' }, work });
    await clock.advance(5_000);
    await stopAll(clock, [b]);
    expect(starts).to.deep.equal([1_700_000_000_000 - 1_000, 1_700_000_000_000 - 1_000]);
  });

  it('keeps the leases of several streams apart in one table', async () => {
    const { clock, kinesis, start, store } = scene(2);
    kinesis.createStream('payments', 2);
    const worker = start('a', { streams: ['orders', 'payments'] });
    await clock.advance(1_000);
    expect(
      [...worker.working.values()].map(({ stream, shardId }) => `${stream} ${shardId}`).sort(),
    ).to.deep.equal([
      'orders shardId-000000000000',
      'orders shardId-000000000001',
      'payments shardId-000000000000',
      'payments shardId-000000000001',
    ]);
    expect(
      [...store.table.items.keys()].every((key) => /^000000000000:(orders|payments):\d+:shardId-/.test(key)),
    ).to.equal(true);
    await stopAll(clock, [worker]);
  });
});

describe('stopping', () => {
  it('gives each lease up as soon as its own work is done', async () => {
    const { clock, start } = scene(4);
    const slow = new AbortController();
    const a = start('a', {
      work: async (lease) => {
        await untilAsked(lease);
        if (lease.shardId.endsWith('0')) await clock.sleep(60_000, slow.signal);
      },
    });
    const b = start('b', { work: untilAsked });
    await clock.advance(15_000);
    const mine = [...a.working.keys()];
    expect(mine).to.include('shardId-000000000000');
    a.stop.abort();
    await clock.advance(2_000);
    expect([...b.working.keys()]).to.have.length(3);
    slow.abort();
    await clock.advance(2_000);
    await a.done;
    expect(b.working.size).to.equal(4);
    await stopAll(clock, [b]);
  });

  it('ends in time although work does not return; its lease is released without its checkpoint', async () => {
    const { clock, start, store } = scene(1);
    const late: unknown[] = [];
    const a = start('a', {
      options: { stopMs: 20_000 },
      work: async (lease) => {
        await clock.sleep(1_000_000);
        late.push(
          await failure(
            lease.checkpoint({ type: 'POSITION', sequenceNumber: '9', subSequenceNumber: 0 }, {}),
          ),
        );
      },
    });
    await clock.advance(5_000);
    a.stop.abort();
    await clock.advance(20_000);
    await a.done;
    expect(ofType(a, 'work-overran')).to.have.length(1);
    expect(store.table.items.get('shardId-000000000000')).not.to.have.property('leaseOwner');
    await clock.advance(1_000_000);
    expect(String(late[0])).to.include('no longer held');
    expect(store.table.items.get('shardId-000000000000')).to.include({ checkpoint: 'TRIM_HORIZON' });
  });

  it('reaches a living worker also where two of three stop at the same moment', async () => {
    const { clock, start } = scene(9);
    const workers = [start('a'), start('b'), start('c')];
    const [a, b, c] = workers as [TestWorker, TestWorker, TestWorker];
    await clock.advance(30_000);
    a.stop.abort();
    b.stop.abort();
    await clock.advance(6_000);
    await Promise.all([a.done, b.done]);
    expect(c.working.size).to.equal(9);
    await stopAll(clock, [c]);
  });

  it('does nothing at all where it is told to stop while it tries to start', async () => {
    const { clock, start, store } = scene(1);
    const failing = { ...store, list: () => refuse() };
    const a = start('a', { store: failing });
    await clock.advance(500);
    a.stop.abort();
    await clock.advance(10_000);
    await a.done;
    expect(store.table.items.size).to.equal(0);
  });
});

async function* refuse(): AsyncGenerator<readonly never[]> {
  yield await Promise.reject(new LeaseStoreError('lease-table-unavailable', 'simulated outage'));
}

describe('failing over', () => {
  it('takes no longer than the failover time and five seconds, whenever the owner dies', async () => {
    const random = seededRandom(3);
    for (let i = 0; i < 12; i += 1) {
      const { clock, start } = scene(6);
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
  }).timeout(20_000);

  it('leaves nothing to an owner that was stopped for too long: it acts no more, and says so once', async () => {
    const { clock, start } = scene(1);
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
    const { clock, kinesis, store } = scene(6);
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
      scan: (segment) => (out ? refuse() : table.scan(segment)),
    };
    const workers = ['a', 'b'].map((id) =>
      startWorker({ id, clock, kinesis, store: createLeaseStore(flaky) }),
    );
    await clock.advance(20_000);
    const before = workers.map(({ working }) => [...working.keys()].sort());
    out = true;
    await clock.advance(5_000);
    expect(workers.map(({ working }) => working.size)).to.deep.equal([3, 3]);
    await clock.advance(55_000);
    expect(workers.map(({ working }) => working.size)).to.deep.equal([0, 0]);
    out = false;
    await clock.advance(10_000);
    expect(workers.map(({ working }) => [...working.keys()].sort())).to.deep.equal(before);
    await stopAll(clock, workers);
  });
});

describe('a large fleet, where two workers survey for all', () => {
  const options = { surveyUnitsPerSecond: 0.01 };
  const total = (workers: readonly TestWorker[]): number =>
    workers.reduce((sum, { working }) => sum + working.size, 0);

  it('takes over from whoever dies, on duty or not', async () => {
    for (const victim of [0, 1, 2, 3, 4, 5]) {
      const { clock, start } = scene(24);
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
    const { clock, start } = scene(24);
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
    const { clock, start } = scene(24);
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

describe('worker ids', () => {
  it('refuses to start beside a running process with the same id, and leaves that one alone', async () => {
    const { clock, start } = scene(4);
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
    const { clock, start } = scene(4);
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
    const { clock, start } = scene(4);
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

describe('trouble', () => {
  it('names the lease table that is missing, and does not start', async () => {
    const { clock, start, store } = scene(1);
    store.table.drop();
    const refused = failure(start('a').done);
    await clock.advance(0);
    expect(await refused).to.include({ code: 'lease-table-missing' });
  });

  it('ends when the table is deleted under it, and does not begin anew on an empty one', async () => {
    const { clock, start, store } = scene(2);
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
    const { clock, start } = scene(1);
    const refused = failure(start('a', { streams: ['nowhere'] }).done);
    await clock.advance(0);
    expect(await refused).to.include({ code: 'stream-not-found' });
  });

  it('goes on past an item that was damaged or is none of ours, and reports each once', async () => {
    const { clock, start, store } = scene(3);
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
    const { clock, start } = scene(6);
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
    const { clock, start } = scene(1);
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
    const { clock, start, store } = scene(4);
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
