import { expect } from 'chai';
import { LeaseStoreError } from '../../../lib/leases/lease-store.ts';
import { type LeaseWrite, pulseGroup } from '../../../lib/leases/lease-writes.ts';
import { createLeaseStore, type LeaseTable } from '../../../lib/leases/table-lease-store.ts';
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
  let cut: string | undefined;
  const cutOff = partlyCut(way(store.table), (leaseKey) => leaseKey === cut);
  const b = startWorker({ id: 'b', clock, kinesis, store: createLeaseStore(cutOff), options });
  await clock.advance(30_000);
  cut = pulseOf(store.table, 'b');
  expect(cut).not.to.equal(undefined);
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
