import { expect } from 'chai';
import { availability, observed, type Seen } from '../../../lib/leases/fleet-view.ts';
import { parseItem } from '../../../lib/leases/lease-item.ts';
import type { Lease } from '../../../lib/leases/lease.ts';

const timings = { failoverMs: 10_000, handoffMs: 30_000, offerMs: 10_000 };
const me = { worker: 'me', incarnations: new Set(['me/1']) };

function leaseOf(counter: number, leaseOwner: string, checkpointOwner?: string): Lease {
  const parsed = parseItem({
    leaseKey: 'shardId-000000000000',
    leaseCounter: counter,
    leaseOwner,
    ...(checkpointOwner !== undefined && { checkpointOwner }),
    ownerSwitchesSinceCheckpoint: 0,
    checkpoint: 'TRIM_HORIZON',
    checkpointSubSequenceNumber: 0,
  });
  if (parsed.type !== 'lease') throw new Error(JSON.stringify(parsed));
  return parsed.lease;
}

/** What is known at the end of looks at the lease, each at its time. */
function after(looks: readonly (readonly [atMs: number, lease: Lease])[]): Seen {
  const seen = looks.reduce<Seen | undefined>(
    (before, [atMs, lease]) => observed(before, lease, atMs, timings.failoverMs),
    undefined,
  );
  return seen!;
}

/** A look every 5 seconds at an owner that renews and does not hand over. */
function handoff(fromMs: number, toMs: number): readonly (readonly [number, Lease])[] {
  const looks: (readonly [number, Lease])[] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs += 5_000) looks.push([atMs, leaseOf(atMs, 'b', 'a')]);
  return looks;
}

describe('a hand-off that lasts', () => {
  it('is overdue once it was seen for longer than its owner may take', () => {
    expect(availability(after(handoff(0, 35_000)), me, timings).type).to.equal('busy');
    expect(availability(after(handoff(0, 40_000)), me, timings)).to.include({
      type: 'free',
      reason: 'overdue',
    });
  });

  it('regression: counts from its beginning, though its next owner had the lease before', () => {
    const looks = [[0, leaseOf(1, 'b')], [30_000, leaseOf(2, 'b')], ...handoff(35_000, 50_000)] as const;
    expect(availability(after(looks), me, timings).type).to.equal('busy');
  });

  it('counts anew for who has not looked for long: it may be another one', () => {
    const looks = [...handoff(0, 10_000), ...handoff(35_000, 50_000)];
    expect(availability(after(looks), me, timings).type).to.equal('busy');
  });
});
