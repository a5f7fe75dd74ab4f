import { actualOwner, type Lease } from './lease.ts';
import type { WriteOutcome } from './lease-store.ts';
import type { WriteMark } from './lease-writes.ts';

export type Send = (lease: Lease, mark: WriteMark) => Promise<WriteOutcome>;

/**
 * A write that gives a lease up. Where its answer was lost, another may have the lease already when it is sent again: as
 * was wanted, but whoever took it has written since, so the write's own traces are gone. That one may even have finished
 * the shard, and the item is gone too: made again it would have the shard read twice.
 */
export function orGone(worker: string, send: Send): Send {
  return unlessFirst(send, (outcome, lease) => {
    if (outcome.type === 'missing') return lease;
    const gone = outcome.type === 'lost' && actualOwner(outcome.current) !== worker;
    return gone ? outcome.current : undefined;
  });
}

/** SHARD_END. Where its answer was lost, and the item is gone when it is sent again, the lease has been cleaned up. */
export function orCleanedUp(send: Send, children: readonly string[]): Send {
  return unlessFirst(send, (outcome, lease) => {
    return outcome.type === 'missing' ? { ...lease, checkpoint: { type: 'SHARD_END' }, children } : undefined;
  });
}

/** `landed`: the lease, where an outcome shows that an earlier try of the same write must have landed. */
function unlessFirst(send: Send, landed: (outcome: WriteOutcome, lease: Lease) => Lease | undefined): Send {
  let unsure = false;
  return async (lease, mark) => {
    const again = unsure;
    unsure = true;
    const outcome = await send(lease, mark);
    const after = again ? landed(outcome, lease) : undefined;
    return after === undefined ? outcome : { type: 'won', lease: after };
  };
}
