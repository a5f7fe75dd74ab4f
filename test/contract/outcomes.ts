import type { CheckpointPosition } from '../../lib/leases/held-lease.ts';
import type { Lease } from '../../lib/leases/lease.ts';
import type { WriteOutcome } from '../../lib/leases/lease-store.ts';
import type { WriteMark } from '../../lib/leases/lease-writes.ts';

let nonces = 0;
export function mark(worker: string): WriteMark {
  nonces += 1;
  return { worker, incarnation: `${worker}/1`, nonce: `n${nonces}` };
}

export function won(outcome: WriteOutcome): Lease {
  if (outcome.type !== 'won') throw new Error(`expected to win: ${JSON.stringify(outcome)}`);
  return outcome.lease;
}

export const position = (n: number): CheckpointPosition => ({
  type: 'POSITION',
  sequenceNumber: String(n),
  subSequenceNumber: 0,
});
