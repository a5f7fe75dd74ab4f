/** A record on its way to a stream, before it has a stamp. */
export interface OutgoingRecord {
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  /**
   * Strictly increasing per source, or absent: then the writer counts. A router gives the inbound position
   * (see stamp.ts), so that a replay gives each record the stamp it had before.
   */
  readonly position?: bigint;
  /** The bytes to put, with the stamp's text inside (the event's `weirstamp` attribute). */
  readonly encode: (stamp: string) => Uint8Array;
}

export interface PutReceipt {
  readonly shardId: string;
  readonly sequenceNumber: string;
}

/**
 * Writes to one stream as one source. `put` resolves when every record is acknowledged, with receipts in the order
 * given. Our readers take records with one partition key in the order given, across calls too: what Kinesis stored of
 * a key behind a record that it refused is not acknowledged yet, but put again behind that one.
 * Partial failures are retried with backoff; a record that cannot be put within the retry limits makes `put` reject
 * with PutFailed, which says per record what happened. A position that the writer counted is settled then (its
 * sender was told that it failed). Where senders give the positions, everything behind the failed record is `stopped`,
 * and the sender puts it all again under the same positions.
 */
export interface StampedWriter {
  readonly put: (records: readonly OutgoingRecord[], signal?: AbortSignal) => Promise<readonly PutReceipt[]>;
}
