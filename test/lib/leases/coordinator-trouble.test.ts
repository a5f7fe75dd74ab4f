import { expect } from 'chai';
import { failure, leaseScene, ofType, stopAll } from '../../support/lease-scene.ts';
import { seededRandom, type TestWorker } from '../../support/lease-workers.ts';

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
  it('names the stream that does not exist, and does not start', async () => {
    const { clock, start } = leaseScene(1);
    const refused = failure(start('a', { streams: ['nowhere'] }).done);
    await clock.advance(0);
    expect(await refused).to.include({ code: 'stream-not-found' });
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
