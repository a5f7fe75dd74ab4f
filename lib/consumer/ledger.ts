import type { Position } from '../streams/position.ts';
import type { Tally } from './events.ts';

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
