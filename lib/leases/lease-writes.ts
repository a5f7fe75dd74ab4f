import { actualOwner, type Lease } from './lease.ts';
import type { Checkpoint, CheckpointPosition } from './held-lease.ts';
import { checkpointAttributes, type Item } from './lease-item.ts';
import type { SavedState } from './saved-state.ts';

type Scalar = string | number;
/** Attribute → the value it must have; undefined: it must be absent. */
export type Expected = Readonly<Record<string, Scalar | undefined>>;

/** One conditional update of one item: what must hold, and what changes. Tables carry it out atomically. */
export interface LeaseWrite {
  readonly leaseKey: string;
  readonly expect: Expected;
  readonly set: Item;
  readonly remove: readonly string[];
  /**
   * An item that fits this has had the write: so a write whose response was lost, sent again, is known to have
   * landed. The nonce alone would not do: it stays when a Java worker takes the lease over.
   */
  readonly landed: Expected;
}

/** Who writes, and the random mark of this one write. The same write sent again carries the same mark. */
export interface WriteMark {
  readonly worker: string;
  /** `worker/process`, see lease.ts. */
  readonly incarnation: string;
  readonly nonce: string;
  /** What was measured lately, for balancing; rides along on whatever is written. */
  readonly throughputKBps?: number;
  /** The writer is stopping: whatever it gives away now says so. */
  readonly leaving?: boolean;
  /** A renewal or checkpoint that makes this lease the writer's pulse. */
  readonly pulse?: boolean;
}

/** The pulse of a process, for the index that holds nothing else: all under one key, so that one query reads them. */
export const pulseGroup = 'workers';
const pulseAttributes = ['pulse', 'pulseGroup'] as const;
const ours = ['incarnation', 'offer', 'givenAt', ...pulseAttributes] as const;
const pendingAttributes = [
  'pendingCheckpoint',
  'pendingCheckpointSubSequenceNumber',
  'pendingCheckpointState',
] as const;

/** Every write that fences or extends: conditional on the counter, which it moves by one. */
function counted(
  lease: Lease,
  mark: WriteMark,
  change: { readonly set?: Item; readonly remove?: readonly string[]; readonly expect?: Expected },
): LeaseWrite {
  const next = { leaseCounter: lease.counter + 1, writeNonce: mark.nonce };
  const measured = mark.throughputKBps === undefined ? {} : { throughputKBps: mark.throughputKBps };
  const pulse = mark.pulse === true ? { pulse: mark.incarnation, pulseGroup } : {};
  return {
    leaseKey: lease.leaseKey,
    expect: { leaseCounter: lease.counter, ...change.expect },
    set: { ...next, ...measured, ...pulse, ...change.set },
    remove: change.remove ?? [],
    landed: next,
  };
}

/**
 * Conditional on the hand-off mark as last seen, as in KCL 3: so a hand-off asked for meanwhile is noticed at the
 * next renewal at the latest.
 */
export function renewal(lease: Lease, mark: WriteMark): LeaseWrite {
  return counted(lease, mark, { expect: { checkpointOwner: lease.checkpointOwner } });
}

/** Takes an unowned, expired or offered lease, or takes up one that was assigned to this worker. */
export function taking(lease: Lease, mark: WriteMark): LeaseWrite {
  const previous = actualOwner(lease);
  const switched = previous !== undefined && previous !== mark.worker ? 1 : 0;
  return counted(lease, mark, {
    set: {
      leaseOwner: mark.worker,
      incarnation: mark.incarnation,
      ownerSwitchesSinceCheckpoint: lease.ownerSwitches + switched,
    },
    remove: ['checkpointOwner', 'offer', 'givenAt', ...pulseAttributes],
  });
}

export function checkpointing(
  lease: Lease,
  upTo: CheckpointPosition,
  state: SavedState,
  mark: WriteMark,
): LeaseWrite {
  return counted(lease, mark, {
    set: { ...checkpointAttributes(upTo, state), ownerSwitchesSinceCheckpoint: 0 },
    remove: pendingAttributes,
  });
}

export function preparing(
  lease: Lease,
  upTo: CheckpointPosition,
  note: Uint8Array,
  mark: WriteMark,
): LeaseWrite {
  return counted(lease, mark, {
    set: {
      pendingCheckpoint: upTo.sequenceNumber,
      pendingCheckpointSubSequenceNumber: upTo.subSequenceNumber,
      pendingCheckpointState: note,
      ownerSwitchesSinceCheckpoint: 0,
    },
  });
}

const shardEnd: Checkpoint = { type: 'SHARD_END' };

/**
 * SHARD_END, the final state, the children's names and the end of ownership in one write: no point between. As in
 * Java the item goes on to name its last owner: a KCL 2 would take an unowned one at once, and count it as its load.
 */
export function finishing(
  lease: Lease,
  children: readonly string[],
  state: SavedState,
  mark: WriteMark,
): LeaseWrite {
  return counted(lease, mark, {
    set: {
      ...checkpointAttributes(shardEnd, state),
      ownerSwitchesSinceCheckpoint: 0,
      ...(children.length > 0 ? { childShardIds: new Set(children) } : {}),
    },
    remove: ['checkpointOwner', ...ours, ...pendingAttributes],
  });
}

/** Gives the lease up. In the middle of a hand-off the next owner keeps it, and may start at once. */
export function releasing(lease: Lease, mark: WriteMark): LeaseWrite {
  if (lease.checkpointOwner !== undefined && lease.leaseOwner !== undefined) {
    return assigning(lease, lease.leaseOwner, mark, lease.promised ? 'ours' : 'java');
  }
  return counted(lease, mark, { set: leaver(mark), remove: ['leaseOwner', 'checkpointOwner', ...ours] });
}

function leaver(mark: WriteMark): Item {
  return mark.leaving === true ? { leaver: mark.incarnation } : {};
}

/** Whose kind a worker is. Ours look for what they were given each second, Java's once in a failover time or two. */
export type Kind = 'ours' | 'java';

/** Gives the lease to a worker. Until that one takes it up nobody works on it, and `offer` or `givenAt` says so. */
export function assigning(lease: Lease, to: string, mark: WriteMark, kind: Kind): LeaseWrite {
  const switched = to === actualOwner(lease) ? 0 : 1;
  return counted(lease, mark, {
    set: {
      leaseOwner: to,
      ...(kind === 'ours' ? { offer: to } : { givenAt: lease.counter + 1 }),
      ownerSwitchesSinceCheckpoint: lease.ownerSwitches + switched,
      ...leaver(mark),
    },
    remove: ['checkpointOwner', 'incarnation', ...pulseAttributes, kind === 'ours' ? 'givenAt' : 'offer'],
  });
}

/**
 * Asks the owner to finish and hand over (KCL 3's graceful hand-off). Neither the counter nor the nonce moves: the
 * owner goes on writing meanwhile. `offer` tells it what kind of worker the next one is.
 */
export function requestingHandoff(lease: Lease, from: string, to: string, kind: Kind): LeaseWrite {
  const next = { leaseOwner: to, checkpointOwner: from };
  return {
    leaseKey: lease.leaseKey,
    expect: { leaseOwner: from, checkpointOwner: undefined },
    set: kind === 'ours' ? { ...next, offer: to } : next,
    remove: kind === 'ours' ? [] : ['offer'],
    landed: next,
  };
}

/** Where a replay begins to read a shard again; `id` names the replay. */
export interface Replay {
  readonly id: string;
  readonly from:
    | { readonly type: 'TRIM_HORIZON' }
    | { readonly type: 'AT_TIMESTAMP'; readonly timestampMs: number };
}

/**
 * Moves the checkpoint back, whoever holds the lease. The owner stays named, since it may be delivering: nobody else
 * may begin before it has noticed, by its next write, which fails. A hand-off under way is called off: else the lease
 * would wait, with an owner who has lost it, until it expires. State and pending range belong to the old checkpoint.
 */
export function resetting(lease: Lease, { id, from }: Replay, mark: WriteMark): LeaseWrite {
  const asked = lease.checkpointOwner !== undefined;
  return counted(lease, mark, {
    expect: { checkpointOwner: lease.checkpointOwner },
    set: {
      ...checkpointAttributes({ type: from.type }, undefined),
      ownerSwitchesSinceCheckpoint: 0,
      replay: id,
      ...(from.type === 'AT_TIMESTAMP' ? { startAtMs: from.timestampMs } : {}),
      ...(asked ? { leaseOwner: lease.checkpointOwner } : {}),
    },
    remove: [
      'state',
      'stateCheckpoint',
      ...pendingAttributes,
      ...pulseAttributes,
      ...(asked ? ['checkpointOwner'] : []),
    ],
  });
}

/** Its owner finds the bell changed in the answer to its next write there. Nothing else of the lease is touched. */
export function ringing(leaseKey: string, owner: string, bell: string): LeaseWrite {
  return { leaseKey, expect: { leaseOwner: owner }, set: { bell }, remove: [], landed: { bell } };
}

/** The condition under which a lease may be deleted: nobody has written since it was read. */
export function removal(lease: Lease): LeaseWrite {
  return {
    leaseKey: lease.leaseKey,
    expect: { leaseCounter: lease.counter },
    set: {},
    remove: [],
    landed: {},
  };
}

export function fits(item: Item, expected: Expected): boolean {
  return Object.entries(expected).every(([name, value]) => item[name] === value);
}

/** The item after the write. */
export function applied(item: Item, write: LeaseWrite): Item {
  const removed = new Set(write.remove);
  const kept = Object.entries(item).filter(([name]) => !removed.has(name));
  return { ...Object.fromEntries(kept), ...write.set };
}
