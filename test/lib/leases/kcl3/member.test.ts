import { expect } from 'chai';
import { createMemoryKclTables } from '../../../../lib/leases/kcl3/memory-kcl-tables.ts';
import { lockItem, migrationItem, startJavaLeader } from '../../../support/java-leader.ts';
import { type JavaWorker, plantJavaLeases, startJava } from '../../../support/java-worker.ts';
import { leaseScene, ofType, stopAll } from '../../../support/lease-scene.ts';
import type { TestWorker, WorkerSettings } from '../../../support/lease-workers.ts';

/** A fleet of KCL 3 that has all its leases at one Java worker, and workers of ours that follow its tables. */
function kclScene(shards: number, clientVersion = 'CLIENT_VERSION_3X') {
  const scene = leaseScene(shards);
  const { clock, store } = scene;
  const { table } = store;
  const kclTables = createMemoryKclTables(table);
  table.items.set('Migration3.0', migrationItem(clientVersion));
  const java = (id: string, over: Partial<Parameters<typeof startJava>[0]> = {}): JavaWorker =>
    startJava({ id, kcl: 3, table, clock, rules: () => 'led', ...over });
  const leader = (id: string) => startJavaLeader({ id, table, clock });
  const start = (id: string, over: Partial<WorkerSettings> = {}): TestWorker =>
    scene.start(id, { kclTables, ...over });
  const plant = (owner: string): void =>
    plantJavaLeases(
      table,
      owner,
      Array.from({ length: shards }, (_, i) => i),
    );
  return { ...scene, table, kclTables, java, leader, start, plant };
}

const modes = (worker: TestWorker): unknown[] =>
  ofType(worker, 'compat-mode-changed').map((event) => 'to' in event && event.to);
const reasons = (worker: TestWorker): Set<unknown> =>
  new Set(ofType(worker, 'lease-taken').map((event) => 'reason' in event && event.reason));

describe('a member of a KCL 3 fleet', function () {
  this.timeout(20_000);

  it('takes nothing while a Java leader lives, and gets its share from it', async () => {
    const { clock, java, leader, plant, start } = kclScene(8);
    plant('java');
    const worker = java('java');
    const lead = leader('java');
    await clock.advance(1_000);
    const a = start('a');
    await clock.advance(15_000);
    expect([worker.holds.size, a.working.size]).to.deep.equal([8, 0]);
    await clock.advance(90_000);
    expect([worker.holds.size, a.working.size]).to.deep.equal([4, 4]);
    expect(modes(a)).to.deep.equal(['kcl3-led']);
    expect([...reasons(a)]).to.deep.equal(['own']);
    expect(ofType(a, 'handoff-requested')).to.have.length(0);
    for (const one of [worker, lead]) one.stop();
    await stopAll(clock, [a]);
  });

  it('hands over to the Java worker that the leader has chosen, and lets it have the lease', async () => {
    const { clock, java, leader, start, table } = kclScene(4);
    const a = start('a');
    await clock.advance(5_000);
    expect(a.working.size).to.equal(4);
    const worker = java('java');
    const lead = leader('java');
    await clock.advance(120_000);
    expect([worker.holds.size, a.working.size]).to.deep.equal([2, 2]);
    expect(modes(a)).to.deep.equal(['kcl3-leaderless', 'kcl3-led']);
    const owners = [...table.items.values()].flatMap((item) =>
      item.entityType === 'LEASE' ? [item.leaseOwner] : [],
    );
    expect(owners).to.have.members(['a', 'a', 'java', 'java']);
    for (const one of [worker, lead]) one.stop();
    await stopAll(clock, [a]);
  });

  it('leaves the leases of a dead Java worker to the leader', async () => {
    const { clock, java, leader, plant, start } = kclScene(4);
    plant('dying');
    const dying = java('dying');
    const chief = java('chief');
    const lead = leader('chief');
    await clock.advance(1_000);
    const a = start('a');
    await clock.advance(5_000);
    dying.stop();
    // Its metrics count for a minute more, so the leader may give it leases again.
    await clock.advance(130_000);
    expect(chief.holds.size + a.working.size).to.equal(4);
    expect(a.working.size).to.be.greaterThan(0);
    expect([...reasons(a)]).to.deep.equal(['own']);
    for (const one of [chief, lead]) one.stop();
    await stopAll(clock, [a]);
  });

  it('takes what a leader leaves lying for five failover times', async () => {
    const { clock, java, plant, start, table } = kclScene(4);
    plant('gone');
    const worker = java('java');
    const beating = setLock(table, clock);
    const a = start('a');
    await clock.advance(48_000);
    expect(a.working.size).to.equal(0);
    await clock.advance(12_000);
    expect(a.working.size).to.equal(4);
    expect(modes(a)).to.deep.equal(['kcl3-led']);
    for (const one of [worker, beating]) one.stop();
    await stopAll(clock, [a]);
  });

  it('leads where the last Java worker has died, and stops when a leader is back', async () => {
    const { clock, java, leader, plant, start } = kclScene(4);
    plant('java');
    const worker = java('java');
    const lead = leader('java');
    await clock.advance(1_000);
    const a = start('a');
    await clock.advance(5_000);
    for (const one of [worker, lead]) one.stop();
    // Failover time + 5 s, as after any death.
    await clock.advance(15_000);
    expect(a.working.size).to.equal(4);
    const again = java('java');
    const leading = leader('java');
    await clock.advance(60_000);
    expect(modes(a)).to.deep.equal(['kcl3-led', 'kcl3-leaderless', 'kcl3-led']);
    for (const one of [again, leading]) one.stop();
    await stopAll(clock, [a]);
  });

  it('leads at once where all that is left of Java is the lock of a leader that died long ago', async () => {
    const { clock, start, table } = kclScene(4);
    table.items.set('Leader', lockItem('java', 'v1'));
    table.items.set('java', {
      leaseKey: 'java',
      entityType: 'WORKER_METRIC_STATS',
      lut: 1_699_000_000,
      sts: {},
      opr: {},
    });
    const a = start('a');
    await clock.advance(1_000);
    expect(a.working.size).to.equal(4);
    // What it left is cleared away after a day, as a Java leader would do it.
    await clock.advance(40_000);
    expect(table.items.has('java')).to.equal(false);
    await stopAll(clock, [a]);
  });

  it('gives Java workers their share while no leader lives, the first one alone, to see whether they live', async () => {
    const { clock, java, start, table } = kclScene(6);
    const [a, b] = [start('a'), start('b')];
    await clock.advance(20_000);
    const worker = java('java');
    await clock.advance(5_000);
    const given = [...table.items.values()].filter((item) => item.leaseOwner === 'java');
    expect(given).to.have.length(1);
    await clock.advance(60_000);
    expect([a.working.size, b.working.size, worker.holds.size]).to.deep.equal([2, 2, 2]);
    expect(modes(a)).to.deep.equal(['kcl3-leaderless']);
    worker.stop();
    await stopAll(clock, [a, b]);
  });

  it('has its leases taken up by the Java worker that is left when it stops, and is given no more', async () => {
    const { clock, java, leader, start, table } = kclScene(4);
    const a = start('a');
    await clock.advance(5_000);
    const worker = java('java');
    const lead = leader('java');
    await clock.advance(40_000);
    a.stop.abort();
    await clock.advance(3_000);
    await a.done;
    expect(table.items.has('a')).to.equal(false);
    await clock.advance(12_000);
    expect(worker.holds.size).to.equal(4);
    for (const one of [worker, lead]) one.stop();
  });
});

describe('a fleet of ours that Java workers of KCL 3 join', function () {
  this.timeout(20_000);

  for (const first of ['metrics', 'lock'] as const) {
    it(`is a KCL 3 fleet from the next survey on, whether the leader's ${first} or the other comes first`, async () => {
      const { clock, java, leader, start, table } = kclScene(4);
      table.items.delete('Migration3.0');
      const a = start('a');
      await clock.advance(30_000);
      expect(modes(a)).to.deep.equal([]);
      table.items.set('Migration3.0', migrationItem('CLIENT_VERSION_3X'));
      const begin = { metrics: () => java('java'), lock: () => leader('java') };
      const one = begin[first]();
      await clock.advance(5_000);
      expect(modes(a)).to.deep.equal(['kcl3-leaderless']);
      expect(table.items.has('a')).to.equal(true);
      const other = begin[first === 'lock' ? 'metrics' : 'lock']();
      await clock.advance(5_000);
      expect(modes(a)).to.deep.equal(['kcl3-leaderless', 'kcl3-led']);
      for (const half of [one, other]) half.stop();
      await stopAll(clock, [a]);
    });
  }
});

describe('a member of a fleet that migrates', function () {
  this.timeout(20_000);

  it('publishes metrics from the upgrade on, follows to the rules of 3, and takes all back when it is rolled back', async () => {
    const { clock, java, plant, start, table } = kclScene(4, 'CLIENT_VERSION_UPGRADE_FROM_2X');
    plant('java');
    const worker = java('java', { rules: () => 'alone' });
    const a = start('a');
    await clock.advance(10_000);
    // By asking, since a KCL 3 knows hand-offs under the rules of 2 too.
    expect([worker.holds.size, a.working.size]).to.deep.equal([2, 2]);
    expect([...reasons(a)]).to.deep.equal(['own']);
    const lut = Number(table.items.get('a')?.lut);
    await clock.advance(60_000);
    expect(Number(table.items.get('a')?.lut)).to.be.within(lut + 34, lut + 70);
    table.items.set('Migration3.0', migrationItem('CLIENT_VERSION_3X_WITH_ROLLBACK'));
    const beating = setLock(table, clock);
    await clock.advance(40_000);
    table.items.set('Migration3.0', migrationItem('CLIENT_VERSION_2X'));
    await clock.advance(40_000);
    expect(modes(a)).to.deep.equal(['kcl3-upgrade', 'kcl3-led', 'kcl2']);
    expect(table.items.has('a')).to.equal(false);
    for (const one of [worker, beating]) one.stop();
    await stopAll(clock, [a]);
  });

  it('counts shares where Java’s taker counts them: traffic moves nothing', async () => {
    const { clock, java, plant, start, table } = kclScene(4, 'CLIENT_VERSION_UPGRADE_FROM_2X');
    plant('java');
    const kBps = (leaseKey: string): number => (leaseKey.endsWith('0') ? 9_000 : 100);
    for (const [key, item] of table.items) {
      if (item.entityType === 'LEASE') table.items.set(key, { ...item, throughputKBps: kBps(key) });
    }
    const worker = java('java', { rules: () => 'alone' });
    const a = start('a', {
      work: async (lease) => {
        const over = AbortSignal.any([lease.drain, lease.lost]);
        for (let atMs = 0; !over.aborted; atMs += 1_000) {
          lease.observe({ bytes: kBps(lease.shardId) * 1_024, fromMs: atMs, toMs: atMs + 1_000 });
          await clock.sleep(1_000, over);
        }
      },
    });
    await clock.advance(300_000);
    expect([worker.holds.size, a.working.size]).to.deep.equal([2, 2]);
    expect(ofType(a, 'handoff-requested')).to.have.length(2);
    worker.stop();
    await stopAll(clock, [a]);
  });

  it('keeps to the old tables until everything has moved', async () => {
    const { clock, kclTables, start, table } = kclScene(2);
    table.items.delete('Migration3.0');
    const state = new Map([['Migration3.0', migrationItem('CLIENT_VERSION_3X', 'key')]]);
    kclTables.legacy = { state, metrics: new Map() };
    const a = start('a');
    await clock.advance(5_000);
    expect(kclTables.legacy.metrics.get('a')).to.include({ wid: 'a', sup: 1 });
    expect(table.items.has('a')).to.equal(false);
    const moving = {
      key: 'TableMigration3.5',
      entityType: 'TABLE_MIGRATION',
      tm: 'TABLE_MIGRATION_STATUS_PENDING',
    };
    state.set('TableMigration3.5', moving as never);
    await clock.advance(40_000);
    expect(kclTables.legacy.metrics.has('a')).to.equal(false);
    expect(table.items.get('a')).to.include({ leaseKey: 'a', entityType: 'WORKER_METRIC_STATS' });
    await stopAll(clock, [a]);
  });

  it('writes nothing but leases into a table of KCL 2, also where it is told to be of 3', async () => {
    const { clock, plant, start, table } = kclScene(4);
    table.items.delete('Migration3.0');
    plant('java');
    const worker = startJava({ id: 'java', kcl: 2, table, clock });
    const a = start('a', { options: { compat: 'kcl3' } });
    await clock.advance(60_000);
    expect(table.items.has('a')).to.equal(false);
    expect([worker.holds.size, a.working.size]).to.deep.equal([2, 2]);
    worker.stop();
    await stopAll(clock, [a]);
  });

  it('does without any of this where it is left to its own rules', async () => {
    const { clock, start, table } = kclScene(2);
    const a = start('a', { options: { compat: 'native' } });
    await clock.advance(40_000);
    expect(a.working.size).to.equal(2);
    expect([table.items.has('a'), modes(a)]).to.deep.equal([false, []]);
    await stopAll(clock, [a]);
  });
});

/** A leader that holds its lock and does nothing else. */
function setLock(
  table: ReturnType<typeof kclScene>['table'],
  clock: ReturnType<typeof kclScene>['clock'],
): { readonly stop: () => void } {
  const stop = new AbortController();
  void (async () => {
    for (let beat = 0; !stop.signal.aborted; beat += 1) {
      table.items.set('Leader', lockItem('java', `v${beat}`));
      await clock.sleep(30_000, stop.signal);
    }
  })();
  return { stop: () => stop.abort() };
}
