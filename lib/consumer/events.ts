import type { Event } from '../event/event.ts';
import type { SavedState } from '../leases/saved-state.ts';
import type { Position } from '../streams/position.ts';
import type { ShardContext, ShardStart, StreamRecord } from './processor.ts';

/** An event together with the record that carried it. */
export interface EventRecord {
  readonly event: Event;
  readonly record: StreamRecord;
}

/**
 * What one of our services does with the events of one shard. The frame around it (event-processor.ts) decodes,
 * drops the copies that stamps prove not to count, sends undecodable records to the dead letters, and keeps the tally:
 * per outcome a count and an order-independent digest of the event ids, saved with each checkpoint.
 */
export interface EventHandler {
  readonly start: (start: ShardStart, context: ShardContext) => Promise<void>;
  /**
   * In stream order. Returns one outcome per event, e.g. 'routed' | 'duplicate'. A throw means that nothing of the
   * batch counts (see ShardProcessor.process).
   */
  readonly handle: (events: readonly EventRecord[], context: ShardContext) => Promise<readonly string[]>;
  /** Makes everything handled so far durable; what it returns is saved beside the tally, under `handler`. */
  readonly flush: (upTo: Position, context: ShardContext) => Promise<SavedState>;
  readonly wantsCheckpoint?: () => boolean;
  /** The checkpoint of the last `flush` was written. */
  readonly checkpointed?: (upTo: Position, context: ShardContext) => Promise<void>;
  readonly idle?: (nowMs: number, context: ShardContext) => Promise<void>;
  readonly shardEnd?: (context: ShardContext) => Promise<void>;
  readonly stop?: (reason: 'drained' | 'shard-end' | 'lost') => Promise<void>;
}

/** Cumulative since the shard began. `digest`: sum mod 2^128 of the first 16 bytes of SHA-256(event id), hex. */
export type TallyEntry = {
  readonly count: number;
  readonly digest: string;
};
export type Tally = Readonly<Record<string, TallyEntry>>;

/** The tally of one shard and consumer, as true as the checkpoint it was taken at. */
export interface LedgerEntry {
  readonly consumer: string;
  readonly stream: string;
  readonly shardId: string;
  readonly upTo: Position | 'SHARD_END';
  readonly tally: Tally;
  /** When it was written, wall clock. */
  readonly atMs: number;
  /** Of the acquisition that wrote it: an older owner's late write loses against a newer one's. */
  readonly fence: number;
}

/** Idempotent: the key is consumer, stream, shard and position. */
export interface Ledger {
  readonly put: (entry: LedgerEntry, signal?: AbortSignal) => Promise<void>;
}
