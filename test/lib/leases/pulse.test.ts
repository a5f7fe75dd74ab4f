import { expect } from 'chai';
import { Holding } from '../../../lib/leases/holding.ts';
import type { Lease } from '../../../lib/leases/lease.ts';
import { LeaseStoreError } from '../../../lib/leases/lease-store.ts';
import { type LeaseWrite, pulseGroup } from '../../../lib/leases/lease-writes.ts';
import { createMemoryLeaseTable } from '../../../lib/leases/memory-lease-table.ts';
import { Life, processOf } from '../../../lib/leases/pulse.ts';
import { createLeaseStore, type LeaseTable } from '../../../lib/leases/table-lease-store.ts';
import { createTimeWatch } from '../../../lib/leases/time-watch.ts';
import { timingsFor } from '../../../lib/leases/timings.ts';
import { newMark, sendNow, type WorkerContext } from '../../../lib/leases/worker-context.ts';
import { createManualClock } from '../../../lib/runtime/manual-clock.ts';
import { won } from '../../contract/outcomes.ts';
import { sampleLease } from '../../support/leases.ts';
import { leaseScene, stopAll } from '../../support/lease-scene.ts';
import { startWorker } from '../../support/lease-workers.ts';

/** So large, for so few leases, that whoever is on duty surveys each 20 s or less often. */
const options = { surveyUnitsPerSecond: 0.05 };
const shards = 12;

/** A way to the table on which some items are out of reach. */
function partlyCut(table: LeaseTable, isCut: (leaseKey: string) => boolean): LeaseTable {
  const guard = async <T>(leaseKey: string, work: () => Promise<T>): Promise<T> => {
    if (isCut(leaseKey)) throw new LeaseStoreError('lease-table-unavailable', 'simulated');
    return work();
  };
  return {
    ...table,
    get: (leaseKey) => guard(leaseKey, () => table.get(leaseKey)),
    update: (write) => guard(write.leaseKey, () => table.update(write)),
  };
}

/** Its writer does not learn that what it writes are pulses. */
function unaware(table: LeaseTable): LeaseTable {
  const marked = async (write: LeaseWrite): Promise<LeaseWrite> => {
    const pulse = (await table.get(write.leaseKey))?.incarnation;
    const stays = pulse !== undefined && !write.remove.includes('pulse') && 'leaseCounter' in write.set;
    return stays ? { ...write, set: { ...write.set, pulse, pulseGroup } } : write;
  };
  return {
    ...table,
    pulses: async () => undefined,
    update: async (write) => {
      const outcome = await table.update(await marked(write));
      if (!outcome.done) return outcome;
      const { pulse: _, pulseGroup: __, ...item } = outcome.item;
      return { done: true, item };
    },
  };
}

function pulseOf(
  table: { readonly items: ReadonlyMap<string, Record<string, unknown>> },
  worker: string,
): string | undefined {
  return [...table.items.values()].find(({ pulse }) => String(pulse).startsWith(`${worker}/`))
    ?.leaseKey as string;
}

/** Three workers; the pulse of the second is out of its own reach from some moment on. Says who worked on what twice. */
async function twoOwners(way: (table: LeaseTable) => LeaseTable): Promise<readonly string[]> {
  const { clock, kinesis, start, store } = leaseScene(shards);
  const a = start('a', { options });
  const cut = new Set<string | undefined>();
  const cutOff = partlyCut(way(store.table), (leaseKey) => cut.has(leaseKey));
  const b = startWorker({ id: 'b', clock, kinesis, store: createLeaseStore(cutOff), options });
  await clock.advance(30_000);
  cut.add(pulseOf(store.table, 'b'));
  expect([...cut]).not.to.deep.equal([undefined]);
  const both = new Set<string>();
  for (let ms = 0; ms < 30_000; ms += 100) {
    await clock.advance(100);
    for (const leaseKey of a.working.keys()) if (b.working.has(leaseKey)) both.add(leaseKey);
  }
  await stopAll(clock, [a, b]);
  return [...both];
}

describe('a pulse', function () {
  this.timeout(20_000);

  it('bounds every lease of its process: where it cannot be confirmed, none is held for longer', async () => {
    expect(await twoOwners((table) => table)).to.deep.equal([]);
  });

  it('would leave leases to two workers if its process did not know of it', async () => {
    expect(await twoOwners(unaware)).not.to.deep.equal([]);
  });
});

/** Two leases of one process on a clock that is moved by hand; the first that is renewed becomes the pulse. */
async function twoLeases() {
  const clock = createManualClock({ startMs: 1_700_000_000_000 });
  const own = clock.view();
  const table = createMemoryLeaseTable();
  const written: string[] = [];
  const outOfReach = new Set<string>();
  const timings = timingsFor(10_000);
  const watch = createTimeWatch(own, timings.clockToleranceMs, () => {});
  const life = new Life('a/1', { clock: own, timings, watch });
  const recorded: LeaseTable = {
    ...table,
    update: async (write) => {
      written.push(write.leaseKey);
      if (outOfReach.has(write.leaseKey)) throw new LeaseStoreError('lease-table-unavailable', 'simulated');
      return table.update(write);
    },
  };
  let draws = 0;
  const context: WorkerContext = {
    worker: 'a',
    life,
    store: createLeaseStore(recorded),
    clock: own,
    random: () => (draws += 1) / 1e9,
    timings,
    watch,
    report: () => {},
    leaving: new AbortController(),
  };
  const hold = async (leaseKey: string): Promise<Holding> => {
    const created = won(
      await context.store.create(sampleLease({ leaseKey, shardId: leaseKey }), newMark(context)),
    );
    const sent = sendNow(context);
    const taken = won(await context.store.take(created, newMark(context)));
    const holding = new Holding(taken, sent, context, () => {});
    void holding.keep();
    return holding;
  };
  life.pulseWanted = true;
  const marked = await hold('marked');
  await clock.advance(1);
  const other = await hold('other');
  await clock.advance(1);
  expect([marked.lease.pulse, other.lease.pulse]).to.deep.equal([true, false]);
  return { clock, own, life, table, written, outOfReach, context, hold, marked, other };
}

describe('the leases of a process with a pulse', () => {
  it('are verified after the pulse where the clock has jumped: before, they may be taken at any time', async () => {
    const { other, own, written } = await twoLeases();
    own.jumpWall(3_600_000);
    written.length = 0;
    await other.verify();
    expect(written.indexOf('marked')).to.be.at.least(0);
    expect(written.lastIndexOf('other')).to.be.greaterThan(written.indexOf('marked'));
  });

  it('are verified again where the pulse was lost meanwhile: its death may have been proven by then', async () => {
    const { clock, context, other, own, table, written } = await twoLeases();
    own.jumpWall(3_600_000);
    await other.checkpoint({ type: 'POSITION', sequenceNumber: '7', subSequenceNumber: 0 }, {});
    await clock.advance(10);
    const seen = (await context.store.get('marked')) as { readonly lease: Lease };
    won(await createLeaseStore(table).take(seen.lease, { worker: 'b', incarnation: 'b/1', nonce: 'n' }));
    written.length = 0;
    await other.verify();
    expect(written).to.deep.equal(['marked', 'other']);
  });

  it('go with it, though each was renewed in time, and are taken again in its next life', async () => {
    const { clock, hold, life, marked, other, outOfReach, written } = await twoLeases();
    outOfReach.add('marked');
    await clock.advance(8_990);
    expect(written).to.include('other');
    expect([marked.ended, other.ended]).to.deep.equal([false, false]);
    await clock.advance(20);
    expect([marked.ended, other.ended]).to.deep.equal([true, true]);
    life.goOn();
    expect(life.incarnation).to.equal('a/1#1');
    const next = await hold('third');
    expect([next.ended, next.lease.incarnation]).to.deep.equal([false, 'a/1#1']);
    expect(processOf('a/1#1', 'a')).to.equal('1');
  });
});
