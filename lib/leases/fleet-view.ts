import type { Cadence } from './cadence.ts';
import type { TakeReason } from './diagnostics.ts';
import { actualOwner, isFinished, type Lease } from './lease.ts';
import type { Timings } from './timings.ts';

/** A lease as this worker has seen it over time. Times are this worker's own monotonic clock. */
export interface Seen {
  readonly lease: Lease;
  /** When the present counter was first seen: no owner has confirmed a write since. */
  readonly changedAtMs: number;
  readonly readAtMs: number;
  /** When the present next owner was first seen. */
  readonly ownerSinceMs: number;
  /** Since when the present hand-off, if there is one, has been seen again and again. */
  readonly handoffSinceMs: number;
}

/** `lookMs`: who has not looked for longer cannot say that a hand-off is still the same one. */
export function observed(before: Seen | undefined, lease: Lease, nowMs: number, lookMs: number): Seen {
  const same = before?.lease.counter === lease.counter;
  const sameOwner = before?.lease.leaseOwner === lease.leaseOwner;
  const sameHandoff =
    before !== undefined &&
    sameOwner &&
    before.lease.checkpointOwner === lease.checkpointOwner &&
    before.lease.incarnation === lease.incarnation &&
    nowMs - before.readAtMs <= lookMs;
  return {
    lease,
    readAtMs: nowMs,
    changedAtMs: same ? before.changedAtMs : nowMs,
    ownerSinceMs: sameOwner && before !== undefined ? before.ownerSinceMs : nowMs,
    handoffSinceMs: sameHandoff ? before.handoffSinceMs : nowMs,
  };
}

/** Somebody may be working on it, for all we know; `at` is when that ends unless there is news before. */
export type Availability =
  | { readonly type: 'finished' }
  | { readonly type: 'busy'; readonly untilMs: number }
  | { readonly type: 'free'; readonly reason: TakeReason; readonly sinceMs: number };

/**
 * Whether a lease that this worker does not hold may be taken. Nothing here is certain, since others write
 * meanwhile; the conditional write decides. What it must guarantee: `free` implies that no earlier owner still
 * considers the lease its own, if the counter has not moved. A hand-off that has lasted for too long is `free` too: an
 * owner of ours has given up by then by itself, and so has one of KCL 3.
 */
export function availability(
  seen: Seen,
  me: { readonly worker: string; readonly incarnations: ReadonlySet<string> },
  timings: Pick<Timings, 'failoverMs' | 'handoffMs'> & Pick<Cadence, 'offerMs'>,
  /** It was proven then that its owner has held none of its leases since: see Patrol. */
  overSinceMs?: number,
): Availability {
  const { lease, changedAtMs, readAtMs } = seen;
  if (isFinished(lease)) return { type: 'finished' };
  const owner = actualOwner(lease);
  if (owner === undefined) return { type: 'free', reason: 'unowned', sinceMs: changedAtMs };
  if (owner === me.worker && lease.checkpointOwner === undefined) {
    // Assigned to us by ours or by a Java leader, or lost for a moment by this very process.
    const { offered, incarnation } = lease;
    const nobodyElse = offered || incarnation === undefined || me.incarnations.has(incarnation);
    if (nobodyElse) return { type: 'free', reason: 'own', sinceMs: changedAtMs };
  }
  // Whatever was written since that proof was written by somebody who lives.
  if (overSinceMs !== undefined && changedAtMs <= overSinceMs) {
    return { type: 'free', reason: 'expired', sinceMs: overSinceMs };
  }
  const quietUntilMs = changedAtMs + quietMs(lease, timings);
  const overdueAtMs =
    lease.checkpointOwner === undefined
      ? Number.POSITIVE_INFINITY
      : seen.handoffSinceMs + timings.handoffMs + timings.failoverMs;
  const untilMs = Math.min(quietUntilMs, overdueAtMs);
  if (readAtMs < untilMs) return { type: 'busy', untilMs };
  if (lease.offered) return { type: 'free', reason: 'offered', sinceMs: untilMs };
  // A Java leader gives a lease to whoever had it before, and leaves what that one wrote on it.
  const own = owner === me.worker && lease.checkpointOwner === undefined;
  const reason = own ? 'own' : overdueAtMs < quietUntilMs ? 'overdue' : 'expired';
  return { type: 'free', reason, sinceMs: untilMs };
}

/** How long the counter stands still before the owner, or whoever it was given to, is taken for dead. */
function quietMs(
  { given, offered }: Lease,
  { failoverMs, handoffMs, offerMs }: Parameters<typeof availability>[2],
): number {
  if (offered) return offerMs;
  // KCL 3 looks for what it was given once in a failover time, and renews it some time after.
  return given ? failoverMs + handoffMs : failoverMs;
}
