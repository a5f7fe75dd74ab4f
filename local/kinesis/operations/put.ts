import { ServiceError, invalidArgument } from '../errors.ts';
import { parseHashKey } from '../storage/hash-keys.ts';
import { bytesOfBase64 } from '../validation/base64.ts';
import { BatchBuilder } from '../storage/record.ts';
import { parseSequenceNumber, shardIdOf } from '../storage/sequence-number.ts';
import type { Stream } from '../storage/stream.ts';
import { hashKey, sequenceNumber, streamRef } from '../validation/members.ts';
import {
  optional,
  parse,
  problem,
  shape,
  text,
  wrongType,
  isObject,
  type Rule,
} from '../validation/rules.ts';
import { nameOfStream, type Call, type Reply } from './call.ts';

/** The service's number of records in one PutRecords. */
export const RECORDS_PER_CALL_MAX = 500;
export const PARTITION_KEY_MAX = 256;

interface Entry {
  readonly partitionKey: string;
  readonly explicitKey: bigint | undefined;
  /** Base64, as it came. */
  readonly data: string;
  /** Bytes of data and partition key together. */
  readonly size: number;
}

type Outcome =
  | { readonly ok: true; readonly shardIndex: number; readonly sequenceNumber: string }
  | { readonly ok: false; readonly error: ServiceError };

const entryRule: Rule<Entry> = (value, path, problems) => {
  if (!isObject(value)) throw wrongType(path, 'an object');
  const { Data: data, PartitionKey: key, ExplicitHashKey: explicit } = value;
  const at = path === '' ? '' : `${path}.`;
  const partitionKey = partitionKeyRule(key, `${at}partitionKey`, problems);
  const bytes = base64Bytes(data, `${at}data`, problems);
  return {
    partitionKey,
    explicitKey: explicitKeyOf(explicit, `${at}explicitHashKey`, problems),
    data: data as string,
    size: bytes + Buffer.byteLength(partitionKey ?? ''),
  };
};

const partitionKeyRule = text({ min: 1, max: PARTITION_KEY_MAX });
const explicitKeyRule = optional(hashKey);
const putRecordShape = shape({ ...streamRef, SequenceNumberForOrdering: optional(sequenceNumber) });
const putRecordsShape = shape({ ...streamRef, Records: recordsRule });

export function putRecord(call: Call, input: unknown): Reply {
  const read = parse(putRecordShape, input);
  const entry = parse(entryRule, input);
  const name = nameOfStream(call, read);
  const stream = call.account.writableStream(name, call.nowMs);
  checkSizes(call, stream, [entry]);
  checkOrdering(call, stream, read.SequenceNumberForOrdering);
  const [outcome] = putAll(call, stream, [entry], 'PutRecord');
  if (!outcome?.ok) throw outcome?.error ?? new ServiceError('InternalFailure', 'Internal Service Failure');
  return JSON.stringify({
    ShardId: shardIdOf(outcome.shardIndex),
    SequenceNumber: outcome.sequenceNumber,
    EncryptionType: stream.state.encryption.type,
  });
}

export function putRecords(call: Call, input: unknown): Reply {
  const read = parse(putRecordsShape, input);
  const stream = call.account.writableStream(nameOfStream(call, read), call.nowMs);
  checkSizes(call, stream, read.Records);
  const outcomes = putAll(call, stream, read.Records, 'PutRecords');
  const failed = outcomes.reduce((count, outcome) => count + (outcome.ok ? 0 : 1), 0);
  const records = outcomes.map(renderOutcome).join(',');
  return `{"FailedRecordCount":${failed},"Records":[${records}],"EncryptionType":"${stream.state.encryption.type}"}`;
}

function recordsRule(value: unknown, path: string, problems: string[]): readonly Entry[] {
  if (!Array.isArray(value)) {
    if (value !== undefined && value !== null) throw wrongType(path, 'a list');
    problems.push(problem('null', path, 'not be null'));
    return [];
  }
  const shown = `'[${value.length} members]'`;
  if (value.length === 0) problems.push(problem(shown, path, 'have length greater than or equal to 1'));
  if (value.length > RECORDS_PER_CALL_MAX) {
    problems.push(problem(shown, path, `have length less than or equal to ${RECORDS_PER_CALL_MAX}`));
    return [];
  }
  return value.map((entry, i) => entryRule(entry, `${path}.${i + 1}.member`, problems));
}

/** What is not base64 is refused, since it would be sent on as it is. */
function base64Bytes(data: unknown, path: string, problems: string[]): number {
  if (data === undefined || data === null) {
    problems.push(problem('null', path, 'not be null'));
    return 0;
  }
  const bytes = typeof data === 'string' ? bytesOfBase64(data) : undefined;
  if (bytes === undefined) throw wrongType(path, 'base64');
  return bytes;
}

function explicitKeyOf(value: unknown, path: string, problems: string[]): bigint | undefined {
  const given = explicitKeyRule(value, path, problems);
  if (given === undefined) return undefined;
  const key = parseHashKey(given);
  if (key === undefined && problems.length === 0) {
    throw invalidArgument(
      `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${given}`,
    );
  }
  return key;
}

function checkSizes(call: Call, stream: Stream, entries: readonly Entry[]): void {
  const { maxRecordBytes } = stream.state;
  const callMax = Math.max(call.settings.maxCallBytes, maxRecordBytes);
  let total = 0;
  for (const [i, { size }] of entries.entries()) {
    total += size;
    if (size > maxRecordBytes) {
      throw new ServiceError(
        'ValidationException',
        `1 validation error detected: ${problem(
          `'[${size} bytes]'`,
          `records.${i + 1}.member`,
          `have data and partition key of a length less than or equal to ${maxRecordBytes}`,
        )}`,
      );
    }
  }
  if (total > callMax) throw invalidArgument(`Records size exceeds ${callMax} bytes: it is ${total}.`);
}

/** Counters rise with every record, so the order asked for is kept by itself; the number must be of this stream. */
function checkOrdering(call: Call, stream: Stream, given: string | undefined): void {
  if (given === undefined) return;
  const number = parseSequenceNumber(given);
  if (number?.createdAtMs === stream.createdAtMs && number.counter < stream.latest) return;
  throw invalidArgument(
    `ExclusiveMinimumSequenceNumber ${given} used in PutRecord on stream ${stream.state.name} under account ` +
      `${call.account.identity.accountId} is invalid because it did not come from this stream.`,
  );
}

function putAll(
  call: Call,
  stream: Stream,
  entries: readonly Entry[],
  operation: 'PutRecord' | 'PutRecords',
): readonly Outcome[] {
  const arrivedAtMs = stream.arrival(call.nowMs);
  const encrypted = stream.state.encryption.type === 'KMS';
  const builders = new Map<number, BatchBuilder>();
  const outcomes = entries.map((entry): Outcome => {
    const shardIndex = stream.route(entry.partitionKey, entry.explicitKey);
    const error = refusal(call, stream, shardIndex, entry.size, operation);
    if (error) return { ok: false, error };
    let builder = builders.get(shardIndex);
    if (!builder) {
      const { createdAtMs } = stream;
      builder = new BatchBuilder({ createdAtMs, shardIndex, arrivedAtMs, encrypted });
      builders.set(shardIndex, builder);
    }
    const number = builder.add(stream.takeCounter(), entry.partitionKey, entry.data, entry.size);
    return { ok: true, shardIndex, sequenceNumber: number };
  });
  for (const builder of builders.values()) stream.append(builder.shardIndex, builder.build());
  return outcomes;
}

function refusal(
  call: Call,
  stream: Stream,
  shardIndex: number,
  size: number,
  operation: string,
): ServiceError | undefined {
  const { account, faults, settings, throughput, nowMs } = call;
  if (account.memory.heldBytes + size > settings.memoryBytesMax) {
    return new ServiceError(
      'InternalFailure',
      `The stand-in holds its ${settings.memoryBytesMax} bytes: shorten the retention or raise memoryBytesMax.`,
    );
  }
  const target = { operation, stream: stream.state.name, shardId: shardIdOf(shardIndex) };
  const throttled = faults.strike('throttle', target) !== undefined;
  if (!throttled && throughput.admitWrite(stream.log(shardIndex), size, nowMs)) return undefined;
  return new ServiceError(
    'ProvisionedThroughputExceededException',
    `Rate exceeded for shard ${target.shardId} in stream ${target.stream} under account ${account.identity.accountId}.`,
  );
}

function renderOutcome(outcome: Outcome): string {
  if (outcome.ok) {
    return `{"SequenceNumber":"${outcome.sequenceNumber}","ShardId":"${shardIdOf(outcome.shardIndex)}"}`;
  }
  return JSON.stringify({ ErrorCode: outcome.error.code, ErrorMessage: outcome.error.message });
}
