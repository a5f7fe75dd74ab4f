import { expect } from 'chai';
import { createLeaseStore } from '../../../lib/leases/table-lease-store.ts';
import { leaseScene, ofType, stopAll } from '../../support/lease-scene.ts';
import type { TestWorker, WorkerSettings } from '../../support/lease-workers.ts';

/** Every fleet is large, and surveys of a whole table that nothing else asks for come too late to be of any help. */
const options = { surveyUnitsPerSecond: 0.01 };
const leases = 24;
const total = (workers: readonly TestWorker[]): number =>
  workers.reduce((sum, { working }) => sum + working.size, 0);

for (const pulses of [true, false]) {
  const how = pulses ? 'goes by pulses' : 'has a table without an index of pulses';
  describe(`a large fleet that ${how}`, function () {
    // Many workers in one process; the default is short on a machine that is busy.
    this.timeout(30_000);

    const scene = () => {
      const { clock, start, store } = leaseScene(leases);
      const table = pulses ? store.table : { ...store.table, pulses: async () => undefined };
      const begin = (id: string, over: Partial<WorkerSettings> = {}): TestWorker =>
        start(id, { store: createLeaseStore(table), options, ...over });
      return { clock, begin };
    };
    const fleet = (size: number, seed = 0) => {
      const { begin, clock } = scene();
      const views = Array.from({ length: size }, () => clock.view());
      const workers = views.map((view, i) => begin('abcdef'.charAt(i), { clock: view, seed: seed + i }));
      return { begin, clock, views, workers };
    };

    // Two surveys have to see the same counter, and what they give has to be taken up.
    const withinMs = pulses ? 15_000 : 20_000;
    it(`takes over from whoever dies, on duty or not, within ${withinMs / 1_000} s`, async () => {
      for (const victim of [0, 1, 2, 3, 4, 5]) {
        const { clock, views, workers } = fleet(6, victim * 10);
        await clock.advance(30_000);
        views[victim]?.freeze('stopped');
        await clock.advance(withinMs);
        const living = workers.filter((_, i) => i !== victim);
        expect(total(living), `without ${workers[victim]?.id}`).to.equal(leases);
        await stopAll(clock, living);
      }
    });

    it('recovers although the first two die at once', async () => {
      const { clock, views, workers } = fleet(5);
      await clock.advance(30_000);
      // By pulses the first in order of their ids; else the owners of the first leases.
      const keys = Array.from({ length: leases }, (_, i) => `shardId-${String(i).padStart(12, '0')}`);
      const owners = keys.map((key) => workers.findIndex(({ working }) => working.has(key)));
      const dying = pulses ? [0, 1] : [...new Set(owners)].slice(0, 2);
      for (const worker of dying) views[worker]?.freeze('stopped');
      await clock.advance(60_000);
      const living = workers.filter((_, i) => !dying.includes(i));
      expect(total(living)).to.equal(leases);
      await stopAll(clock, living);
    });

    it('gives a stopping worker’s leases to those that stay, and a share to one that joins', async () => {
      const { begin, clock, workers } = fleet(4);
      await clock.advance(30_000);
      const [leaving, ...rest] = workers;
      leaving?.stop.abort();
      await clock.advance(2_400);
      expect(total(rest)).to.equal(leases);
      const joined = begin('z');
      await clock.advance(10_000);
      expect(joined.working.size).to.be.within(5, 7);
      await stopAll(clock, [...rest, joined]);
    });

    it('says once, where that is so, that its table has no index of pulses', async () => {
      const { clock, workers } = fleet(3);
      await clock.advance(200_000);
      const said = workers.map((worker) => ofType(worker, 'no-pulse-index').length);
      expect(said).to.deep.equal(pulses ? [0, 0, 0] : [1, 1, 1]);
      await stopAll(clock, workers);
    });
  });
}

describe('a bell', function () {
  this.timeout(30_000);

  it('tells a worker with many leases of what it was given long before it would ask', async () => {
    const { clock, start } = leaseScene(60);
    const workers = ['a', 'b', 'c'].map((id) => start(id));
    await clock.advance(60_000);
    const [leaving, ...rest] = workers;
    leaving?.stop.abort();
    await clock.advance(2_000);
    expect(total(rest)).to.equal(60);
    await stopAll(clock, rest);
  });
});
