import { invalidArgument, notFound, ServiceError } from '../errors.ts';
import { shardIdOf } from '../storage/sequence-number.ts';
import { formatIterator, parseIterator, TOKEN_LIFE_MS, type IteratorToken } from '../tokens.ts';
import { positionTypes, sequenceNumber, shardId, streamArn, streamRef } from '../validation/members.ts';
import { integer, oneOf, optional, parse, shape, text, timestampMs } from '../validation/rules.ts';
import { nameOfStream, type Call, type Reply } from './call.ts';
import { childShardsOf, isExhausted, millisBehindLatest, positionOf, shardOf } from './positions.ts';

/** The service's limits of one GetRecords, and of one page that a subscription pushes. */
export const RECORDS_PER_READ_MAX = 10_000;
export const READ_BYTES_MAX = 10 * 1024 * 1024;

const getShardIteratorShape = shape({
  ...streamRef,
  ShardId: shardId,
  ShardIteratorType: oneOf(positionTypes),
  StartingSequenceNumber: optional(sequenceNumber),
  Timestamp: optional(timestampMs),
});

const getRecordsShape = shape({
  StreamARN: optional(streamArn),
  ShardIterator: text({ min: 1, max: 512 }),
  Limit: optional(integer(1, RECORDS_PER_READ_MAX)),
});

const RECORDS_OPEN = Buffer.from('{"Records":[');

export function getShardIterator(call: Call, input: unknown): Reply {
  const read = parse(getShardIteratorShape, input);
  const stream = call.account.writableStream(nameOfStream(call, read), call.nowMs);
  const shard = shardOf(call, stream, read.ShardId);
  const position = positionOf(call, stream, shard, {
    type: read.ShardIteratorType,
    sequenceNumber: read.StartingSequenceNumber,
    timestampMs: read.Timestamp,
  });
  const token = {
    stream: stream.state.name,
    createdAtMs: stream.createdAtMs,
    shardIndex: shard.index,
    position,
    issuedAtMs: call.nowMs,
  };
  return JSON.stringify({ ShardIterator: formatIterator(token) });
}

export function getRecords(call: Call, input: unknown): Reply {
  const read = parse(getRecordsShape, input);
  const token = liveIterator(call, read.ShardIterator);
  const stream = call.account.writableStream(token.stream, call.nowMs);
  const shard = stream.createdAtMs === token.createdAtMs ? stream.shard(token.shardIndex) : undefined;
  if (!shard) throw noShard(call, token);
  const log = stream.log(shard.index);
  if (!call.throughput.admitRead(log, call.nowMs)) throw rateExceeded(call, token);
  const page = log.read(token.position, read.Limit ?? RECORDS_PER_READ_MAX, READ_BYTES_MAX);
  call.throughput.chargeRead(log, page.size, call.nowMs);
  const behind = `"MillisBehindLatest":${millisBehindLatest(page, call.nowMs)}`;
  const tail = isExhausted(stream, shard.index, page)
    ? `],"NextShardIterator":null,${behind},"ChildShards":${JSON.stringify(childShardsOf(stream, shard.index))}}`
    : `],"NextShardIterator":"${formatIterator({ ...token, position: page.next, issuedAtMs: call.nowMs })}",${behind}}`;
  return [RECORDS_OPEN, ...page.parts, Buffer.from(tail)];
}

function liveIterator(call: Call, text: string): IteratorToken {
  const token = parseIterator(text);
  if (!token) throw invalidArgument('Invalid ShardIterator.');
  const target = { operation: 'GetRecords', stream: token.stream, shardId: shardIdOf(token.shardIndex) };
  const forced = call.faults.strike('expire-iterators', target) !== undefined;
  if (!forced && call.nowMs - token.issuedAtMs <= TOKEN_LIFE_MS) return token;
  const at = (ms: number): string => new Date(ms).toUTCString();
  throw new ServiceError(
    'ExpiredIteratorException',
    `Iterator expired. The iterator was created at time ${at(token.issuedAtMs)} while right now it is ${at(call.nowMs)} ` +
      `which is further in the future than the tolerated delay of ${TOKEN_LIFE_MS} milliseconds.`,
  );
}

function noShard(call: Call, token: IteratorToken): ServiceError {
  return notFound(
    `Shard ${shardIdOf(token.shardIndex)} in stream ${token.stream} under account ${call.account.identity.accountId} does not exist`,
  );
}

function rateExceeded(call: Call, token: IteratorToken): ServiceError {
  return new ServiceError(
    'ProvisionedThroughputExceededException',
    `Rate exceeded for shard ${shardIdOf(token.shardIndex)} in stream ${token.stream} under account ${call.account.identity.accountId}.`,
  );
}
