import { actualOwner, type Lease } from './lease.ts';
import type { WriteOutcome } from './lease-store.ts';
import type { WriteMark } from './lease-writes.ts';

export type Send = (lease: Lease, mark: WriteMark) => Promise<WriteOutcome>;

/**
 * A write that gives a lease up. Where its answer was lost, another may have the lease already when it is sent again: as
 * was wanted, but whoever took it has written since, so the write's own traces are gone.
 */
export function orGone(worker: string, send: Send): Send {
  let unsure = false;
  return async (lease, mark) => {
    const again = unsure;
    unsure = true;
    const outcome = await send(lease, mark);
    const gone = outcome.type === 'lost' && actualOwner(outcome.current) !== worker;
    return again && gone ? { type: 'won', lease: outcome.current } : outcome;
  };
}
