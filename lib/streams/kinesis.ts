/**
 * The port to Kinesis Data Streams: one verb per service call that the platform makes, sequence numbers as the
 * decimal texts the service uses. Adapters: aws-kinesis.ts (SDK v3) and memory-kinesis.ts (test kit); both pass
 * test/contract/kinesis-port.ts. Errors are PlatformErrors with the codes of `KinesisErrorCode`.
 */
export interface Kinesis {
  readonly describe: (stream: string, signal?: AbortSignal) => Promise<StreamDescription>;
  /** Every page of ListShards, so also past 1,000 shards. */
  readonly listShards: (
    stream: string,
    filter?: ShardFilter,
    signal?: AbortSignal,
  ) => Promise<readonly Shard[]>;
  readonly iterator: (
    stream: string,
    shardId: string,
    from: ReadFrom,
    signal?: AbortSignal,
  ) => Promise<string>;
  /** `limit` ≤ 10,000 records; the service also stops at 10 MiB. */
  readonly read: (stream: string, iterator: string, limit: number, signal?: AbortSignal) => Promise<ReadPage>;
  /** One PutRecords call: ≤ 500 entries and 5 MiB. Per entry an outcome, in the order given. */
  readonly put: (
    stream: string,
    entries: readonly PutEntry[],
    signal?: AbortSignal,
  ) => Promise<readonly PutOutcome[]>;
  /** Registers the enhanced fan-out consumer if need be, waits until it is ACTIVE, returns its ARN. */
  readonly registerConsumer: (stream: string, name: string, signal?: AbortSignal) => Promise<string>;
  /**
   * One SubscribeToShard: pages until the service ends it (5 minutes), the shard ends or `signal` aborts. `room` is
   * awaited with the size of what comes next, before more than its head is taken from the connection.
   */
  readonly subscribe: (
    consumerArn: string,
    shardId: string,
    from: ReadFrom,
    signal: AbortSignal,
    room?: Room,
  ) => AsyncIterable<SubscriptionPage>;
}

export type Room = (bytes: number) => Promise<void>;

export type KinesisErrorCode =
  | 'stream-not-found'
  | 'shard-not-found'
  | 'iterator-expired'
  | 'invalid-position'
  | 'invalid-argument'
  | 'throttled'
  | 'resource-in-use'
  | 'access-denied'
  | 'kinesis-unavailable';

export interface StreamDescription {
  readonly name: string;
  readonly arn: string;
  readonly accountId: string;
  readonly createdAtMs: number;
  readonly retentionHours: number;
  readonly status: 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING';
  readonly openShards: number;
  /** Largest record that the stream takes, bytes (1 MiB … 10 MiB). */
  readonly maxRecordBytes: number;
  /** The service's own clock when it answered, or up to a second before; the caller's may be wrong. */
  readonly nowMs: number;
}

export interface Shard {
  readonly shardId: string;
  /** None, one (split) or two (merge). A parent may be gone from the stream already. */
  readonly parents: readonly string[];
  /** Decimal text, inclusive, 0 … 2^128 − 1. */
  readonly startingHashKey: string;
  readonly endingHashKey: string;
  readonly startingSequenceNumber: string;
  /** Only on closed shards. */
  readonly endingSequenceNumber?: string;
}

export type ShardFilter =
  | { readonly type: 'AT_LATEST' }
  | { readonly type: 'AT_TRIM_HORIZON' }
  | { readonly type: 'FROM_TRIM_HORIZON' }
  | { readonly type: 'AT_TIMESTAMP' | 'FROM_TIMESTAMP'; readonly timestampMs: number }
  | { readonly type: 'AFTER_SHARD_ID'; readonly shardId: string };

export type ReadFrom =
  | { readonly type: 'TRIM_HORIZON' }
  | { readonly type: 'LATEST' }
  | { readonly type: 'AT_TIMESTAMP'; readonly timestampMs: number }
  | { readonly type: 'AT_SEQUENCE_NUMBER' | 'AFTER_SEQUENCE_NUMBER'; readonly sequenceNumber: string };

/**
 * A record as Kinesis gives it; `data` may be a KPL aggregate. It may be a view of its whole page: who keeps a few
 * records for long copies them.
 */
export interface RawRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Uint8Array;
  /** ApproximateArrivalTimestamp, milliseconds. */
  readonly arrivedAtMs: number;
}

export interface ChildShard {
  readonly shardId: string;
  readonly parents: readonly string[];
  readonly startingHashKey: string;
  readonly endingHashKey: string;
}

export interface ReadPage {
  readonly records: readonly RawRecord[];
  /** Undefined at the end of a closed shard. */
  readonly nextIterator?: string;
  readonly millisBehindLatest: number;
  /** Present on the last page of a closed shard. */
  readonly childShards: readonly ChildShard[];
}

export interface SubscriptionPage {
  readonly records: readonly RawRecord[];
  /** Where to subscribe again; undefined at the end of a closed shard. */
  readonly continuationSequenceNumber?: string;
  readonly millisBehindLatest: number;
  readonly childShards: readonly ChildShard[];
}

export interface PutEntry {
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  readonly data: Uint8Array;
}

export type PutOutcome =
  | { readonly ok: true; readonly shardId: string; readonly sequenceNumber: string }
  | { readonly ok: false; readonly code: string; readonly message: string };
