import type { Lease } from '../../lib/leases/lease.ts';

/** A lease that was just created, with what a test wants to be different. */
export function sampleLease(over: Partial<Lease> = {}): Lease {
  return {
    leaseKey: 'shardId-000000000000',
    shardId: 'shardId-000000000000',
    streamId: undefined,
    leaseOwner: undefined,
    checkpointOwner: undefined,
    counter: 0,
    ownerSwitches: 0,
    checkpoint: { type: 'TRIM_HORIZON' },
    pending: undefined,
    parents: [],
    children: [],
    hashRange: undefined,
    throughputKBps: undefined,
    startAtMs: undefined,
    state: undefined,
    writeNonce: undefined,
    incarnation: undefined,
    offered: false,
    promised: false,
    given: false,
    leaver: undefined,
    replay: undefined,
    pulse: false,
    bell: undefined,
    ...over,
  };
}
