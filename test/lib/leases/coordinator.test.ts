import { expect } from 'chai';
import type { HeldLease } from '../../../lib/leases/held-lease.ts';
import { faultyLeaseTable } from '../../../lib/leases/lease-table-faults.ts';
import { createLeaseStore } from '../../../lib/leases/table-lease-store.ts';
import { failure, leaseScene, ofType, refuse, stopAll } from '../../support/lease-scene.ts';
import { seededRandom, untilAsked, type TestWorker } from '../../support/lease-workers.ts';

describe('coordinator', function () {
  this.timeout(10_000);
  it('works on every shard of a fresh table within a second', async () => {
    const { clock, start } = leaseScene(8);
    const worker = start('a');
    await clock.advance(1_000);
    expect(worker.working.size).to.equal(8);
    await stopAll(clock, [worker]);
    expect(worker.working.size).to.equal(0);
  });

  it('shares the leases with a worker that joins, by hand-over and not by force', async () => {
    const { clock, start } = leaseScene(8);
    const a = start('a');
    await clock.advance(5_000);
    const b = start('b');
    await clock.advance(10_000);
    expect([a.working.size, b.working.size]).to.deep.equal([4, 4]);
    expect(a.events.filter((event) => event.type === 'lease-lost')).to.deep.equal([]);
    await stopAll(clock, [a, b]);
  });

  it('shares the leases within 10 s also with nine that join at once, who know nothing of each other', async () => {
    const { clock, start, store } = leaseScene(100);
    const workers = [start('a')];
    await clock.advance(20_000);
    for (let seed = 1; seed <= 9; seed += 1) {
      const line = faultyLeaseTable(store.table, { clock, random: seededRandom(seed), requestMs: 1_500 });
      // What a call takes: so they ask at the same time, and not one after the other.
      line.fault({ fault: { type: 'slow', ms: 10 } });
      workers.push(start(`b${seed}`, { store: createLeaseStore(line), seed }));
    }
    await clock.advance(10_000);
    const sizes = workers.map(({ working }) => working.size);
    expect(Math.min(...sizes), sizes.join()).to.be.at.least(9);
    await stopAll(clock, workers);
  });

  it('hands its leases to a living peer when it stops, within two seconds', async () => {
    const { clock, start } = leaseScene(4);
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
    const { clock, start } = leaseScene(4);
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
    const { clock, kinesis, start } = leaseScene(1);
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
    const { clock, kinesis, start, store } = leaseScene(1);
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
    const { clock, start } = leaseScene(1);
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
    const { clock, kinesis, start, store } = leaseScene(2);
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

describe('stopping', function () {
  this.timeout(10_000);
  it('gives each lease up as soon as its own work is done', async () => {
    const { clock, start } = leaseScene(4);
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
    const { clock, start, store } = leaseScene(1);
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
    const { clock, start } = leaseScene(9);
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
    const { clock, start, store } = leaseScene(1);
    const failing = { ...store, list: () => refuse() };
    const a = start('a', { store: failing });
    await clock.advance(500);
    a.stop.abort();
    await clock.advance(10_000);
    await a.done;
    expect(store.table.items.size).to.equal(0);
  });
});
