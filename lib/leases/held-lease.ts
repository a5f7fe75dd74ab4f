import type { ReadStretch } from './throughput.ts';
import type { SavedState } from './saved-state.ts';

/** Sentinels of the lease table's `checkpoint`, or a position inside the shard. Format: Java KCL. */
export type Checkpoint =
  | { readonly type: 'TRIM_HORIZON' | 'LATEST' | 'AT_TIMESTAMP' | 'SHARD_END' }
  | { readonly type: 'POSITION'; readonly sequenceNumber: string; readonly subSequenceNumber: number };

export type CheckpointPosition = Extract<Checkpoint, { type: 'POSITION' }>;

export interface ChildLease {
  readonly shardId: string;
  readonly parents: readonly string[];
  readonly startingHashKey: string;
  readonly endingHashKey: string;
}

/**
 * The right to read one shard, handed to the work function of the coordinator for as long as it lasts. All writes
 * of one lease go through one queue, so a renewal and a checkpoint never race. Every write rejects with LeaseLost
 * once the lease is gone or its local deadline has passed; nothing else ends the work.
 */
export interface HeldLease {
  readonly leaseKey: string;
  readonly stream: string;
  readonly shardId: string;
  /** Larger for every later acquisition of this lease: the lease counter at the time it was taken. */
  readonly fence: number;
  /** As the item stood when it was taken. */
  readonly taken: {
    readonly checkpoint: Checkpoint;
    /**
     * Where the checkpoint is LATEST or AT_TIMESTAMP: read what arrived at this time or later (epoch milliseconds).
     * Pinned when the lease was created, so that nothing between that moment and the first read is missed.
     */
    readonly startAtMs: number | undefined;
    readonly state: SavedState | undefined;
    readonly pending: { readonly checkpoint: CheckpointPosition; readonly note: Uint8Array } | undefined;
    /** Final states of the parents whose leases still exist. */
    readonly parents: readonly { readonly shardId: string; readonly state: SavedState | undefined }[];
  };
  /** Finish what is in flight, checkpoint, return: the process stops or the lease goes to a peer. */
  readonly drain: AbortSignal;
  /** Stop at once: the lease is lost, its deadline passed, or the drain took too long. */
  readonly lost: AbortSignal;
  /**
   * To be awaited right before each delivery. Resolves at once while the lease is surely ours; after the machine
   * seems to have been suspended it renews first. Rejects with LeaseLost, also where the event loop was blocked for
   * so long that the deadline has passed but no timer could abort `lost` yet.
   */
  readonly verify: () => Promise<void>;
  readonly checkpoint: (upTo: CheckpointPosition, state: SavedState) => Promise<void>;
  readonly prepareCheckpoint: (upTo: CheckpointPosition, note: Uint8Array) => Promise<void>;
  /** Creates the children's leases, links them, then writes SHARD_END with the final state. Idempotent. */
  readonly finish: (children: readonly ChildLease[], state: SavedState) => Promise<void>;
  /** What was read since the last call, for balancing by throughput. */
  readonly observe: (read: ReadStretch) => void;
}
