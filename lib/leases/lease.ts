import { isInitial } from './checkpoint.ts';
import type { Checkpoint, CheckpointPosition } from './held-lease.ts';
import type { SavedState } from './saved-state.ts';

/** Inclusive, decimal texts, 0 … 2^128 − 1. */
export interface HashRange {
  readonly start: string;
  readonly end: string;
}

/** A lease as its item stood when it was read. Never changed: every write gives a new one. */
export interface Lease {
  readonly leaseKey: string;
  readonly shardId: string;
  /** `account:stream:epoch` where one table serves several streams; undefined where it serves one. */
  readonly streamId: string | undefined;
  /** Whom the item names. During a hand-off that is the next owner, and `checkpointOwner` is the present one. */
  readonly leaseOwner: string | undefined;
  readonly checkpointOwner: string | undefined;
  /** Larger after every write that fences an earlier owner or extends the lease. */
  readonly counter: number;
  readonly ownerSwitches: number;
  readonly checkpoint: Checkpoint;
  readonly pending: { readonly checkpoint: CheckpointPosition; readonly note: Uint8Array } | undefined;
  readonly parents: readonly string[];
  readonly children: readonly string[];
  readonly hashRange: HashRange | undefined;
  /** Undefined before anybody has measured it. May be out of date where the owner does not measure (KCL 2). */
  readonly throughputKBps: number | undefined;
  /** Where LATEST or AT_TIMESTAMP begins, epoch milliseconds, pinned at creation; absent on leases Java made. */
  readonly startAtMs: number | undefined;
  /** Saved with exactly this checkpoint; undefined where somebody else has moved the checkpoint since. */
  readonly state: SavedState | undefined;
  /** The random mark of the last write of one of our workers. */
  readonly writeNonce: string | undefined;
  /** `worker/process`: the process of ours that holds it, if the owner is still the one who wrote it. */
  readonly incarnation: string | undefined;
  /** Given to a worker of ours by another, and not yet taken up: nobody works on it, and the owner looks each second. */
  readonly offered: boolean;
  /** In a hand-off to a worker of ours: the present owner will offer it. */
  readonly promised: boolean;
  /** Given to a Java worker by one of ours, and not yet taken up: nobody works on it, and it may take Java long. */
  readonly given: boolean;
  /** The process that gave it away last because it was stopping: nothing should be given to that one. */
  readonly leaver: string | undefined;
  /** The last replay that moved the checkpoint back, or that of the parents which made this lease. See replay.ts. */
  readonly replay: string | undefined;
  /** Its owner has chosen it as the sign that it lives, for all its leases: see pulse.ts. */
  readonly pulse: boolean;
  /** Changed by whoever wants the owner to look for what is new; undefined: never. See ringer.ts. */
  readonly bell: string | undefined;
}

/** Who processes the shard now. */
export function actualOwner(lease: Lease): string | undefined {
  return lease.checkpointOwner ?? lease.leaseOwner;
}

export function isFinished(lease: Lease): boolean {
  return lease.checkpoint.type === 'SHARD_END';
}

/** A child that nobody has read waits until each parent's lease is finished or gone. */
export function isBlocked(lease: Lease, parentOf: (shardId: string) => Lease | undefined): boolean {
  if (!isInitial(lease.checkpoint)) return false;
  return lease.parents.some((shardId) => {
    const parent = parentOf(shardId);
    return parent !== undefined && !isFinished(parent);
  });
}

/** The key of another shard's lease of the same stream. */
export function siblingKey(lease: Pick<Lease, 'streamId'>, shardId: string): string {
  return lease.streamId === undefined ? shardId : `${lease.streamId}:${shardId}`;
}
