import { expect } from 'chai';
import { KnownWorkers } from '../../../lib/leases/known-workers.ts';
import { parseItem, type Item } from '../../../lib/leases/lease-item.ts';
import type { Lease } from '../../../lib/leases/lease.ts';
import { createManualClock } from '../../../lib/runtime/manual-clock.ts';

const key = 'shardId-000000000000';

function leaseOf(item: Item): Lease {
  const parsed = parseItem({
    leaseKey: key,
    leaseCounter: 7,
    ownerSwitchesSinceCheckpoint: 0,
    checkpoint: 'TRIM_HORIZON',
    checkpointSubSequenceNumber: 0,
    ...item,
  });
  if (parsed.type !== 'lease') throw new Error(JSON.stringify(parsed));
  return parsed.lease;
}

describe('the workers that are known as ours', () => {
  const held = leaseOf({ leaseOwner: 'a', incarnation: 'a/1' });

  it('are those that held a lease, also after they gave it away', () => {
    const known = new KnownWorkers(createManualClock());
    known.see(held);
    known.see(leaseOf({ leaseOwner: 'b', givenAt: 7 }));
    known.see(leaseOf({}));
    expect(['a', 'b'].map((worker) => known.has(worker))).to.deep.equal([true, false]);
  });

  it('stay known while others give them leases, and when a shard ends', () => {
    const known = new KnownWorkers(createManualClock());
    known.see(held);
    known.see(leaseOf({ leaseOwner: 'a', offer: 'a' }));
    known.see(leaseOf({ leaseOwner: 'a', givenAt: 7 }));
    known.see(leaseOf({ leaseOwner: 'a', checkpoint: 'SHARD_END' }));
    expect(known.has('a')).to.equal(true);
  });

  it('are known no more once Java holds a lease under the same name, or after long silence', async () => {
    const clock = createManualClock();
    const known = new KnownWorkers(clock);
    known.see(held);
    known.see(leaseOf({ leaseOwner: 'a' }));
    expect(known.has('a')).to.equal(false);
    known.see(held);
    await clock.advance(600_000);
    known.tidy();
    expect(known.has('a')).to.equal(false);
  });
});
