import { expect } from 'chai';
import { failure, leaseScene, ofType, stopAll } from '../../support/lease-scene.ts';
import { seededRandom } from '../../support/lease-workers.ts';

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
