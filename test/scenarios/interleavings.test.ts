import { expect } from 'chai';
import type { HeldLease } from '../../lib/leases/held-lease.ts';
import { faultyLeaseTable } from '../../lib/leases/lease-table-faults.ts';
import { createLeaseStore, type LeaseTable } from '../../lib/leases/table-lease-store.ts';
import { timingsFor } from '../../lib/leases/timings.ts';
import { leaseScene, ofType, stopAll } from '../support/lease-scene.ts';
import { seededRandom, untilAsked } from '../support/lease-workers.ts';

const worlds = 20;
const roundsPerWorld = 50;
const { renewMs } = timingsFor(10_000);
/** How far a checkpoint is from the renewal that it races, at most, and how long a call takes, at most. */
const apartMs = 200;
const callMs = 300;

/** Counts the updates that fail on their condition. */
function counting(table: LeaseTable): { readonly table: LeaseTable; readonly failed: () => number } {
  let failed = 0;
  const update: LeaseTable['update'] = async (write) => {
    const outcome = await table.update(write);
    if (!outcome.done) failed += 1;
    return outcome;
  };
  return { table: { ...table, update }, failed: () => failed };
}

describe('scenario 10: renewals race checkpoints on one lease', function () {
  this.timeout(30_000);

  it('in 1,000 interleavings: no write ever fails on its condition, and no lease is lost', async () => {
    let raced = 0;
    for (let seed = 1; seed <= worlds; seed += 1) {
      const { clock, start, store } = leaseScene(1);
      const random = seededRandom(seed);
      const counted = counting(store.table);
      const line = faultyLeaseTable(counted.table, { clock, random, requestMs: 1_500 });
      const slow = (): void => {
        line.fault({ on: 'update', times: 1, fault: { type: 'slow', ms: Math.floor(random() * callMs) } });
      };
      const work = async (lease: HeldLease): Promise<void> => {
        let at = 0;
        const save = (): Promise<void> =>
          lease.checkpoint(
            { type: 'POSITION', sequenceNumber: String((at += 1)), subSequenceNumber: 0 },
            { at },
          );
        for (let round = 0; round < roundsPerWorld; round += 1) {
          await save();
          for (let calls = 0; calls < 3; calls += 1) slow();
          await clock.sleep(renewMs - apartMs + random() * 2 * apartMs);
          await Promise.all([save(), save()]);
          raced += 1;
        }
        await untilAsked(lease);
      };
      const worker = start('a', { store: createLeaseStore(line), work });
      await clock.advance(roundsPerWorld * (renewMs + 2 * apartMs + 4 * callMs));
      expect(counted.failed(), `seed ${seed}`).to.equal(0);
      expect(ofType(worker, 'lease-lost'), `seed ${seed}`).to.deep.equal([]);
      expect(ofType(worker, 'call-failed'), `seed ${seed}`).to.deep.equal([]);
      await stopAll(clock, [worker]);
    }
    expect(raced).to.equal(worlds * roundsPerWorld);
  });
});
