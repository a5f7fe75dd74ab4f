import type { SavedState } from '../leases/saved-state.ts';
import type { Position } from '../streams/position.ts';

/** A user record: KPL aggregates are already taken apart. */
export interface StreamRecord {
  readonly stream: string;
  readonly shardId: string;
  readonly position: Position;
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  /** May be a view of the whole page it came with: who keeps a few records for long copies them. */
  readonly data: Uint8Array;
  readonly arrivedAtMs: number;
}

/** A right to act on one shard, as the processor sees it. */
export interface ShardContext {
  readonly stream: string;
  readonly shardId: string;
  /** The lease counter of this acquisition: larger for every later owner. For conditions of fenced writes. */
  readonly fence: number;
  /** Aborts when the lease is lost, its deadline passes or the process must stop now. */
  readonly signal: AbortSignal;
  /**
   * To be awaited right before an effect that begins when no call of the loop is waiting for it (lanes.ts). Rejects
   * once the lease is lost, also where no timer could abort `signal` yet: after the process was stopped, say.
   */
  readonly verify: () => Promise<void>;
  /**
   * Records a pending checkpoint in the lease, with a small note that the next owner gets back if we die before
   * the checkpoint itself. Used where effects must be repeated for exactly the same range (the archiver).
   */
  readonly prepareCheckpoint: (upTo: Position, note: Uint8Array) => Promise<void>;
}

export interface ShardStart {
  /** Where the last checkpoint stands; undefined at the start of a shard that nobody has read. */
  readonly checkpoint: Position | undefined;
  /** State saved with that checkpoint, by us or by an earlier owner. */
  readonly state: SavedState | undefined;
  /** Final states of the parent shards, for a child that nobody has read. */
  readonly parents: readonly { readonly shardId: string; readonly state: SavedState | undefined }[];
  readonly pending: { readonly upTo: Position; readonly note: Uint8Array } | undefined;
}

/**
 * One per acquired shard. Calls never overlap. Order is law: `process` → `flush` → the checkpoint write; at the end
 * of a closed shard `flush` → checkpoint → `shardEnd` → `flush` → SHARD_END. `start`, `flush` and `shardEnd` are
 * called again, after a pause, when they throw.
 * A throw from `process` means that nothing of the batch counts: in-memory state is as before the call, and effects
 * that did happen are idempotent. The loop then retries in order, halves the batch down to the poison record and
 * applies the poison policy (dead letter, or stop the shard).
 */
export interface ShardProcessor {
  readonly start: (start: ShardStart, context: ShardContext) => Promise<void>;
  readonly process: (records: readonly StreamRecord[], context: ShardContext) => Promise<void>;
  /** Makes everything processed so far durable and returns the state that is true at `upTo`. */
  readonly flush: (upTo: Position, context: ShardContext) => Promise<SavedState>;
  /** Asks for a checkpoint now, e.g. because a range is full. Looked at after each `process`. */
  readonly wantsCheckpoint?: () => boolean;
  /**
   * How far all records are done, for a processor that goes on with them after `process` has returned (lanes.ts);
   * undefined: none yet. Checkpoints under way are written up to there; at a drain and at the end of the shard `flush`
   * is called with the last position and waits. Absent: all that `process` was given is done.
   */
  readonly doneUpTo?: () => Position | undefined;
  /** The shard is caught up (MillisBehindLatest 0) and empty. Called about once a second; no more than that. */
  readonly idle?: (nowMs: number, context: ShardContext) => Promise<void>;
  /** All of a closed shard has been processed and flushed; called before SHARD_END is written. */
  readonly shardEnd?: (context: ShardContext) => Promise<void>;
  /**
   * `process` failed for this one record only and the loop has put it among the dead letters: account for it. The
   * next position to be flushed includes it.
   */
  readonly deadLettered?: (record: StreamRecord, context: ShardContext) => Promise<void>;
  /** The checkpoint of the last `flush` was written. A throw is reported and changes nothing. */
  readonly checkpointed?: (upTo: Position, context: ShardContext) => Promise<void>;
  /**
   * The acquisition is over; nothing may be written any more if `reason` is 'lost'.
   * Then, and only then, a call that ignores its signal may still be running.
   */
  readonly stop?: (reason: 'drained' | 'shard-end' | 'lost') => Promise<void>;
}
