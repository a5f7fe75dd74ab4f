import { invalidArgument, ServiceError } from '../errors.ts';
import { isOpen, statusOf, type StreamState } from '../storage/stream-state.ts';
import {
  shardCount,
  shardId,
  streamMode,
  streamName,
  streamRef,
  tags,
  TAGS_MAX,
} from '../validation/members.ts';
import { flag, integer, optional, parse, shape, text } from '../validation/rules.ts';
import { nameOfStream, seconds, type Call, type Reply } from './call.ts';
import { shardJson } from './shard-json.ts';

/** Shards of all streams of the account: the service's default quota in its largest regions. */
export const SHARD_LIMIT = 20_000;
const ON_DEMAND_SHARDS = 4;
const ON_DEMAND_STREAMS_MAX = 50;
const KIB = 1024;
/** The API reference: "Specify a value between 1024 and 10240 KiB". */
export const maxRecordKib = integer(1024, 10_240);

const createShape = shape({
  StreamName: streamName,
  ShardCount: optional(shardCount),
  StreamModeDetails: optional(streamMode),
  Tags: optional(tags),
  MaxRecordSizeInKiB: optional(maxRecordKib),
});
const refShape = shape(streamRef);
const deleteShape = shape({ ...streamRef, EnforceConsumerDeletion: optional(flag) });
const describeShape = shape({
  ...streamRef,
  Limit: optional(integer(1, 10_000)),
  ExclusiveStartShardId: optional(shardId),
});
const listShape = shape({
  Limit: optional(integer(1, 10_000)),
  ExclusiveStartStreamName: optional(streamName),
  NextToken: optional(text({ min: 1, max: 1_048_576 })),
});

const PAGE_DEFAULT = 100;

export function createStream(call: Call, input: unknown): Reply {
  const read = parse(createShape, input);
  const mode = read.StreamModeDetails?.StreamMode ?? 'PROVISIONED';
  const count = mode === 'ON_DEMAND' ? ON_DEMAND_SHARDS : read.ShardCount;
  if (count === undefined)
    throw invalidArgument('ShardCount must be given for a stream in PROVISIONED mode.');
  if (Object.keys(read.Tags ?? {}).length > TAGS_MAX) throw invalidArgument(`More than ${TAGS_MAX} tags.`);
  checkShardLimit(call, count);
  call.account.create(
    {
      name: read.StreamName,
      mode,
      shardCount: count,
      maxRecordBytes: (read.MaxRecordSizeInKiB ?? call.settings.maxRecordBytes / KIB) * KIB,
      tags: read.Tags ?? {},
      activeAtMs: call.nowMs + call.settings.createStreamMs,
    },
    call.nowMs,
  );
  return '';
}

export function deleteStream(call: Call, input: unknown): Reply {
  const read = parse(deleteShape, input);
  const name = nameOfStream(call, read);
  const stream = call.account.stream(name, call.nowMs);
  if (stream.state.consumers.length > 0 && read.EnforceConsumerDeletion !== true) {
    throw new ServiceError(
      'ResourceInUseException',
      `Stream ${name} under account ${call.account.identity.accountId} has consumers: deregister them, or set EnforceConsumerDeletion.`,
    );
  }
  call.account.delete(stream, call.settings.createStreamMs, call.nowMs);
  return '';
}

export function describeStream(call: Call, input: unknown): Reply {
  const read = parse(describeShape, input);
  const { state } = call.account.stream(nameOfStream(call, read), call.nowMs);
  const after = read.ExclusiveStartShardId ?? '';
  const shards = state.shards
    .map((shard) => shardJson(state, shard))
    .filter((shard) => shard.ShardId > after);
  // The API reference: "If you specify a value greater than 100, at most 100 results are returned."
  const limit = Math.min(read.Limit ?? PAGE_DEFAULT, PAGE_DEFAULT);
  return JSON.stringify({
    StreamDescription: {
      ...descriptionJson(state, call.nowMs),
      Shards: shards.slice(0, limit),
      HasMoreShards: shards.length > limit,
    },
  });
}

export function describeStreamSummary(call: Call, input: unknown): Reply {
  const { state } = call.account.stream(nameOfStream(call, parse(refShape, input)), call.nowMs);
  return JSON.stringify({
    StreamDescriptionSummary: {
      ...descriptionJson(state, call.nowMs),
      OpenShardCount: state.shards.filter(isOpen).length,
      ConsumerCount: state.consumers.length,
      MaxRecordSizeInKiB: state.maxRecordBytes / KIB,
    },
  });
}

export function listStreams(call: Call, input: unknown): Reply {
  const read = parse(listShape, input);
  const after = read.NextToken ?? read.ExclusiveStartStreamName ?? '';
  const states = call.account.streams(call.nowMs).map((stream) => stream.state);
  const rest = states.filter((state) => state.name > after);
  const page = rest.slice(0, read.Limit ?? PAGE_DEFAULT);
  const more = rest.length > page.length;
  return JSON.stringify({
    StreamNames: page.map((state) => state.name),
    HasMoreStreams: more,
    ...(more ? { NextToken: page.at(-1)?.name } : {}),
    StreamSummaries: page.map((state) => ({
      StreamName: state.name,
      StreamARN: state.arn,
      StreamStatus: statusOf(state, call.nowMs),
      StreamModeDetails: { StreamMode: state.mode },
      StreamCreationTimestamp: seconds(state.createdAtMs),
    })),
  });
}

export function describeLimits(call: Call): Reply {
  const states = call.account.streams(call.nowMs).map((stream) => stream.state);
  return JSON.stringify({
    ShardLimit: SHARD_LIMIT,
    OpenShardCount: openShardCount(call),
    OnDemandStreamCount: states.filter((state) => state.mode === 'ON_DEMAND').length,
    OnDemandStreamCountLimit: ON_DEMAND_STREAMS_MAX,
  });
}

/** Throws LimitExceededException when the account would have more open shards than it may. */
export function checkShardLimit(call: Call, added: number): void {
  const open = openShardCount(call);
  if (open + added <= SHARD_LIMIT) return;
  throw new ServiceError(
    'LimitExceededException',
    `This request would exceed the shard limit for the account ${call.account.identity.accountId} in ` +
      `${call.account.identity.region}. Current shard count for the account: ${open}. Limit: ${SHARD_LIMIT}.`,
  );
}

function openShardCount(call: Call): number {
  return call.account
    .streams(call.nowMs)
    .reduce((count, stream) => count + stream.state.shards.filter(isOpen).length, 0);
}

function descriptionJson(state: StreamState, nowMs: number): object {
  return {
    StreamName: state.name,
    StreamARN: state.arn,
    StreamStatus: statusOf(state, nowMs),
    StreamModeDetails: { StreamMode: state.mode },
    RetentionPeriodHours: state.retentionHours,
    StreamCreationTimestamp: seconds(state.createdAtMs),
    EnhancedMonitoring: [{ ShardLevelMetrics: state.monitoring }],
    EncryptionType: state.encryption.type,
    ...(state.encryption.type === 'KMS' ? { KeyId: state.encryption.keyId } : {}),
  };
}
