import { invalidArgument } from '../errors.ts';
import type { StreamState } from '../storage/stream-state.ts';
import type { Stream } from '../storage/stream.ts';
import { keyId, streamArn, streamMode, streamRef } from '../validation/members.ts';
import { integer, list, oneOf, parse, shape, type Rule } from '../validation/rules.ts';
import { nameOfStream, type Call, type Reply, type StreamRef } from './call.ts';
import { updating } from './reshard.ts';
import { maxRecordKib } from './streams.ts';

const METRICS = [
  'IncomingBytes',
  'IncomingRecords',
  'OutgoingBytes',
  'OutgoingRecords',
  'WriteProvisionedThroughputExceeded',
  'ReadProvisionedThroughputExceeded',
  'IteratorAgeMilliseconds',
] as const;

/** A day … a year, as the service keeps records. */
const RETENTION_HOURS = { min: 24, max: 8_760 };

const retentionShape = shape({
  ...streamRef,
  RetentionPeriodHours: integer(RETENTION_HOURS.min, RETENTION_HOURS.max),
});
const encryptionShape = shape({ ...streamRef, EncryptionType: oneOf(['KMS']), KeyId: keyId });
const monitoringShape = shape({
  ...streamRef,
  ShardLevelMetrics: list(oneOf([...METRICS, 'ALL']), 1, METRICS.length + 1),
});
const modeShape = shape({ StreamARN: streamArn, StreamModeDetails: streamMode });
const recordSizeShape = shape({ StreamARN: streamArn, MaxRecordSizeInKiB: maxRecordKib });

export function increaseRetention(call: Call, input: unknown): Reply {
  const { stream, hours } = retention(call, input);
  if (hours < stream.state.retentionHours) {
    throw invalidArgument(retentionMessage(call, stream, hours, 'shorter'));
  }
  stream.change((state) => ({ ...state, retentionHours: hours }), call.nowMs);
  return '';
}

export function decreaseRetention(call: Call, input: unknown): Reply {
  const { stream, hours } = retention(call, input);
  if (hours > stream.state.retentionHours) {
    throw invalidArgument(retentionMessage(call, stream, hours, 'longer'));
  }
  stream.change((state) => ({ ...state, retentionHours: hours }), call.nowMs);
  stream.trimNow(call.nowMs);
  return '';
}

export function startEncryption(call: Call, input: unknown): Reply {
  return change(call, encryptionShape, input, (state, read) => ({
    ...state,
    encryption: { type: 'KMS', keyId: read.KeyId },
  }));
}

export function stopEncryption(call: Call, input: unknown): Reply {
  return change(call, encryptionShape, input, (state) => ({ ...state, encryption: { type: 'NONE' } }));
}

export function enableMonitoring(call: Call, input: unknown): Reply {
  return monitoring(call, input, (current, named) =>
    METRICS.filter((m) => current.includes(m) || named.includes(m)),
  );
}

export function disableMonitoring(call: Call, input: unknown): Reply {
  return monitoring(call, input, (current, named) => current.filter((metric) => !named.includes(metric)));
}

export function updateStreamMode(call: Call, input: unknown): Reply {
  return change(call, modeShape, input, (state, read) => ({
    ...state,
    mode: read.StreamModeDetails.StreamMode,
  }));
}

export function updateMaxRecordSize(call: Call, input: unknown): Reply {
  return change(call, recordSizeShape, input, (state, read) => ({
    ...state,
    maxRecordBytes: read.MaxRecordSizeInKiB * 1024,
  }));
}

function change<T extends StreamRef>(
  call: Call,
  rule: Rule<T>,
  input: unknown,
  next: (state: StreamState, read: T) => StreamState,
): Reply {
  const read = parse(rule, input);
  const stream = call.account.activeStream(nameOfStream(call, read), call.nowMs);
  stream.change((state) => updating(call, next(state, read)), call.nowMs);
  return '';
}

function monitoring(
  call: Call,
  input: unknown,
  next: (current: readonly string[], named: readonly string[]) => readonly string[],
): Reply {
  const read = parse(monitoringShape, input);
  const stream = call.account.activeStream(nameOfStream(call, read), call.nowMs);
  const before = stream.state.monitoring;
  const named = read.ShardLevelMetrics.includes('ALL') ? METRICS : read.ShardLevelMetrics;
  const state = stream.change((now) => ({ ...now, monitoring: next(before, named) }), call.nowMs);
  return JSON.stringify({
    StreamName: state.name,
    StreamARN: state.arn,
    CurrentShardLevelMetrics: before,
    DesiredShardLevelMetrics: state.monitoring,
  });
}

function retention(call: Call, input: unknown): { readonly stream: Stream; readonly hours: number } {
  const read = parse(retentionShape, input);
  const stream = call.account.activeStream(nameOfStream(call, read), call.nowMs);
  return { stream, hours: read.RetentionPeriodHours };
}

function retentionMessage(call: Call, stream: Stream, hours: number, relation: 'shorter' | 'longer'): string {
  return (
    `Requested retention period (${hours} hours) for stream ${stream.state.name} under account ` +
    `${call.account.identity.accountId} can not be ${relation} than existing retention period ` +
    `(${stream.state.retentionHours} hours).`
  );
}
