import { expect } from 'chai';
import { createStage, eventsOf, failoverMs, type Stage, texts } from './support/stage.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;

/** The counters of the leases that each worker holds, by lease key. */
function counters({ table }: Stage): ReadonlyMap<string, number> {
  return new Map([...table.items].map(([key, item]) => [key, Number(item.leaseCounter)]));
}

describe('scenario 5: the wall clock jumps, or the machine is suspended', function () {
  this.timeout(20_000);

  const jumps: readonly { readonly what: string; readonly a: number; readonly b: number }[] = [
    { what: '+1 h on one worker', a: hourMs, b: 0 },
    { what: '−1 h on one worker', a: -hourMs, b: 0 },
    { what: '+1 h on both', a: hourMs, b: hourMs },
    { what: '+1 h on one and −1 h on the other', a: hourMs, b: -hourMs },
  ];
  for (const jump of jumps) {
    it(`${jump.what}: no lease moves, each is verified with the table, nothing is delivered twice`, async () => {
      const stage = createStage(8);
      const [a, b] = [stage.start('a'), stage.start('b')];
      await stage.putEach(10, 'before');
      await stage.until(
        'the leases are shared',
        () => a.shards().length === 4 && b.shards().length === 4,
        15_000,
      );
      await stage.clock.advance(10_000);
      const owned = [a, b].map((worker) => [...worker.shards()].sort());
      const before = counters(stage);
      a.clock.jumpWall(jump.a);
      b.clock.jumpWall(jump.b);
      await stage.clock.advance(2_000);
      const after = counters(stage);
      for (const [worker, jumpMs] of [
        [a, jump.a],
        [b, jump.b],
      ] as const) {
        expect(eventsOf(worker, 'clock-jumped').map(({ byMs }) => Math.round(byMs / minuteMs))).to.deep.equal(
          jumpMs === 0 ? [] : [jumpMs / minuteMs],
        );
        const verified = worker.shards().filter((shardId) => after.get(shardId)! > before.get(shardId)!);
        if (jumpMs !== 0) expect(verified, worker.id).to.have.length(4);
      }
      await stage.putEach(10, 'after');
      await stage.clock.advance(60_000);
      expect([a, b].map((worker) => [...worker.shards()].sort())).to.deep.equal(owned);
      expect(stage.workers.flatMap((worker) => eventsOf(worker, 'lease-lost'))).to.deep.equal([]);
      expect(stage.workers.flatMap((worker) => eventsOf(worker, 'data-loss'))).to.deep.equal([]);
      expect([stage.audit.undelivered(), stage.audit.repeated()]).to.deep.equal([0, []]);
      await stage.end();
    });
  }

  it('a suspension, in which the monotonic clock stands still: nothing is delivered before the table was asked', async () => {
    const stage = createStage(4);
    const [a, b] = [stage.start('a'), stage.start('b')];
    await stage.put(texts(40, 'before'));
    await stage.until(
      'the leases are shared',
      () => a.shards().length === 2 && b.shards().length === 2,
      15_000,
    );
    await stage.clock.advance(5_000);
    a.clock.freeze('suspended');
    await stage.put(texts(40, 'meanwhile'));
    await stage.until('the other has all', () => b.shards().length === 4, failoverMs + 5_000);
    await stage.until('and reads on', () => stage.audit.undelivered() === 0, 5_000);
    await stage.put(texts(40, 'later'));
    a.clock.thaw();
    await stage.clock.advance(30_000);
    expect(eventsOf(a, 'clock-jumped')).to.have.length(1);
    expect(eventsOf(a, 'lease-lost').map(({ reason }) => reason)).to.deep.equal(['taken', 'taken']);
    expect(eventsOf(b, 'lease-lost')).to.deep.equal([]);
    expect([stage.audit.undelivered(), stage.audit.repeated()]).to.deep.equal([0, []]);
    await stage.end();
  });
});

/** One history: start, join, crash, restart. What was delivered, where, by whom, and when. */
async function history(
  skews: readonly [a: number, b: number, c: number],
  initialPosition: { readonly type: 'TRIM_HORIZON' | 'LATEST' },
): Promise<readonly string[]> {
  const stage = createStage(6);
  const options = { initialPosition };
  const a = stage.start('a', { skewMs: skews[0], options });
  await stage.clock.advance(0);
  await stage.put(texts(60, 'first'));
  await stage.clock.advance(3_000);
  stage.start('b', { skewMs: skews[1], options });
  await stage.put(texts(60, 'second'));
  await stage.clock.advance(20_000);
  a.freeze();
  await stage.put(texts(60, 'third'));
  await stage.clock.advance(3_000);
  stage.start('c', { skewMs: skews[2], options });
  await stage.clock.advance(30_000);
  await stage.put(texts(60, 'last'));
  await stage.clock.advance(10_000);
  expect(stage.audit.undelivered()).to.equal(0);
  await stage.end();
  return stage.audit.delivered.map(
    ({ atMs, shardId, text, worker }) => `${atMs} ${worker} ${shardId} ${text}`,
  );
}

describe('scenario 6: the workers’ wall clocks differ by ±10 min from each other and from the services’', function () {
  this.timeout(20_000);
  for (const type of ['TRIM_HORIZON', 'LATEST'] as const) {
    it(`from ${type}: the very same deliveries as with equal clocks`, async () => {
      const equal = await history([0, 0, 0], { type });
      const skewed = await history([10 * minuteMs, -10 * minuteMs, 0], { type });
      const otherWay = await history([-10 * minuteMs, 0, 10 * minuteMs], { type });
      expect(equal.length).to.be.at.least(240);
      expect(skewed).to.deep.equal(equal);
      expect(otherWay).to.deep.equal(equal);
    });
  }
});
