import type {
  ChildShard as SdkChildShard,
  DescribeStreamSummaryOutput,
  GetRecordsOutput,
  PutRecordsResultEntry,
  Shard as SdkShard,
  ShardFilter as SdkShardFilter,
  StartingPosition,
  SubscribeToShardEvent,
} from '@aws-sdk/client-kinesis';
import { KinesisError } from './kinesis-error.ts';
import type {
  ChildShard,
  PutOutcome,
  RawRecord,
  ReadFrom,
  ReadPage,
  Shard,
  ShardFilter,
  StreamDescription,
  SubscriptionPage,
} from './kinesis.ts';
import type { WireRecord } from './records-body.ts';

/** A field that the service always sends; without it the answer is not one we can act on. */
export function given<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new KinesisError('kinesis-unavailable', `${what}: the answer is incomplete`);
  return value;
}

export function toDescription(
  output: DescribeStreamSummaryOutput,
  what: string,
  nowMs: number,
): StreamDescription {
  const summary = given(output.StreamDescriptionSummary, what);
  const arn = given(summary.StreamARN, what);
  return {
    name: given(summary.StreamName, what),
    arn,
    accountId: given(arn.split(':')[4], what),
    createdAtMs: given(summary.StreamCreationTimestamp, what).getTime(),
    retentionHours: given(summary.RetentionPeriodHours, what),
    status: given(summary.StreamStatus, what),
    openShards: given(summary.OpenShardCount, what),
    // Absent from services that know only the original limit.
    maxRecordBytes: (summary.MaxRecordSizeInKiB ?? 1_024) * 1_024,
    nowMs,
  };
}

export function toShard(shard: SdkShard, what: string): Shard {
  const hashKeys = given(shard.HashKeyRange, what);
  const sequence = given(shard.SequenceNumberRange, what);
  const parents = [shard.ParentShardId, shard.AdjacentParentShardId];
  return {
    shardId: given(shard.ShardId, what),
    parents: parents.flatMap((parent) => parent ?? []),
    startingHashKey: given(hashKeys.StartingHashKey, what),
    endingHashKey: given(hashKeys.EndingHashKey, what),
    startingSequenceNumber: given(sequence.StartingSequenceNumber, what),
    ...(sequence.EndingSequenceNumber !== undefined && {
      endingSequenceNumber: sequence.EndingSequenceNumber,
    }),
  };
}

export function fromShardFilter(filter: ShardFilter): SdkShardFilter {
  return {
    Type: filter.type,
    ...('timestampMs' in filter && { Timestamp: new Date(filter.timestampMs) }),
    ...('shardId' in filter && { ShardId: filter.shardId }),
  };
}

export function fromReadFrom(from: ReadFrom): StartingPosition {
  return {
    Type: from.type,
    ...('timestampMs' in from && { Timestamp: new Date(from.timestampMs) }),
    ...('sequenceNumber' in from && { SequenceNumber: from.sequenceNumber }),
  };
}

/** Answers as they stand on the wire. */
type Wire<T> = Omit<T, 'Records'> & { readonly Records?: readonly WireRecord[] };

export function toReadPage(output: Wire<Partial<GetRecordsOutput>>, what: string): ReadPage {
  return {
    records: (output.Records ?? []).map((record) => toRecord(record, what)),
    // The service sends null at the end of a shard.
    ...(output.NextShardIterator && { nextIterator: output.NextShardIterator }),
    millisBehindLatest: output.MillisBehindLatest ?? 0,
    childShards: (output.ChildShards ?? []).map((child) => toChildShard(child, what)),
  };
}

export function toSubscriptionPage(
  event: Wire<Partial<SubscribeToShardEvent>>,
  what: string,
): SubscriptionPage {
  const childShards = (event.ChildShards ?? []).map((child) => toChildShard(child, what));
  return {
    records: (event.Records ?? []).map((record) => toRecord(record, what)),
    // With children there is nothing to go on with, whatever number the last event carries.
    ...(event.ContinuationSequenceNumber &&
      childShards.length === 0 && { continuationSequenceNumber: event.ContinuationSequenceNumber }),
    millisBehindLatest: event.MillisBehindLatest ?? 0,
    childShards,
  };
}

export function toPutOutcome(entry: PutRecordsResultEntry, what: string): PutOutcome {
  if (entry.ErrorCode) return { ok: false, code: entry.ErrorCode, message: entry.ErrorMessage ?? '' };
  return {
    ok: true,
    shardId: given(entry.ShardId, what),
    sequenceNumber: given(entry.SequenceNumber, what),
  };
}

function toRecord(record: WireRecord, what: string): RawRecord {
  return {
    sequenceNumber: given(record.SequenceNumber, what),
    partitionKey: given(record.PartitionKey, what),
    data: given(record.Data, what),
    arrivedAtMs: Math.round(given(record.ApproximateArrivalTimestamp, what) * 1_000),
  };
}

function toChildShard(child: SdkChildShard, what: string): ChildShard {
  const hashKeys = given(child.HashKeyRange, what);
  return {
    shardId: given(child.ShardId, what),
    parents: child.ParentShards ?? [],
    startingHashKey: given(hashKeys.StartingHashKey, what),
    endingHashKey: given(hashKeys.EndingHashKey, what),
  };
}
