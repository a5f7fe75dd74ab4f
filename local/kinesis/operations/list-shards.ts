import { invalidArgument, ServiceError } from '../errors.ts';
import { shardIdOf } from '../storage/sequence-number.ts';
import { trimHorizonMs, type ShardState, type StreamState } from '../storage/stream-state.ts';
import { formatPageToken, parsePageToken, TOKEN_LIFE_MS, type PageToken } from '../tokens.ts';
import { pageToken, shardId, streamRef } from '../validation/members.ts';
import { integer, oneOf, optional, parse, shape, timestampMs, type Parsed } from '../validation/rules.ts';
import { nameOfStream, type Call, type Reply } from './call.ts';
import { shardJson } from './shard-json.ts';

const filterShape = shape({
  Type: oneOf([
    'AFTER_SHARD_ID',
    'AT_TRIM_HORIZON',
    'FROM_TRIM_HORIZON',
    'AT_LATEST',
    'AT_TIMESTAMP',
    'FROM_TIMESTAMP',
  ]),
  ShardId: optional(shardId),
  Timestamp: optional(timestampMs),
});
type Filter = Parsed<typeof filterShape>;

const listShape = shape({
  ...streamRef,
  NextToken: optional(pageToken),
  ExclusiveStartShardId: optional(shardId),
  MaxResults: optional(integer(1, 10_000)),
  StreamCreationTimestamp: optional(timestampMs),
  ShardFilter: optional(filterShape),
});
type Request = Parsed<typeof listShape>;

interface Query {
  readonly name: string;
  readonly after: string;
  readonly filter: Filter | undefined;
}

const PAGE_DEFAULT = 1_000;

export function listShards(call: Call, input: unknown): Reply {
  const read = parse(listShape, input);
  const query = read.NextToken === undefined ? firstPage(call, read) : nextPage(call, read, read.NextToken);
  const { state } = call.account.stream(query.name, call.nowMs);
  checkCreationTime(call, state, read.StreamCreationTimestamp);
  const shards = state.shards.filter(
    (shard) => shardIdOf(shard.index) > query.after && passes(state, shard, query.filter, call.nowMs),
  );
  const page = shards.slice(0, read.MaxResults ?? PAGE_DEFAULT);
  const last = page.at(-1);
  const token =
    last === undefined || page.length === shards.length
      ? {}
      : {
          NextToken: formatPageToken({
            stream: state.name,
            createdAtMs: state.createdAtMs,
            after: shardIdOf(last.index),
            issuedAtMs: call.nowMs,
            filter: query.filter,
          }),
        };
  return JSON.stringify({ Shards: page.map((shard) => shardJson(state, shard)), ...token });
}

/** Also used for the pages of consumers. Throws InvalidArgumentException and ExpiredNextTokenException. */
export function liveToken(call: Call, text: string): PageToken {
  const token = parsePageToken(text);
  if (!token) throw invalidArgument('Invalid NextToken.');
  if (call.nowMs - token.issuedAtMs > TOKEN_LIFE_MS) {
    throw new ServiceError(
      'ExpiredNextTokenException',
      `NextToken expired after ${TOKEN_LIFE_MS} milliseconds.`,
    );
  }
  return token;
}

/** The reference: it tells streams of one name apart; ours are gone once they are deleted. */
export function checkCreationTime(call: Call, state: StreamState, givenMs: number | undefined): void {
  if (givenMs === undefined || Math.abs(givenMs - state.createdAtMs) < 1_000) return;
  const at = new Date(givenMs).toISOString();
  throw new ServiceError(
    'ResourceNotFoundException',
    `Stream ${state.name} under account ${call.account.identity.accountId} created at ${at} not found.`,
  );
}

function firstPage(call: Call, read: Request): Query {
  const filter = read.ShardFilter;
  if (filter?.Type === 'AFTER_SHARD_ID' && filter.ShardId === undefined) {
    throw invalidArgument('ShardId must be given for a ShardFilter of type AFTER_SHARD_ID.');
  }
  if (filter?.Type.endsWith('_TIMESTAMP') && filter.Timestamp === undefined) {
    throw invalidArgument(`Timestamp must be given for a ShardFilter of type ${filter.Type}.`);
  }
  return { name: nameOfStream(call, read), after: read.ExclusiveStartShardId ?? '', filter };
}

function nextPage(call: Call, read: Request, text: string): Query {
  if (read.StreamName !== undefined || read.StreamCreationTimestamp !== undefined) {
    throw invalidArgument('NextToken and StreamName cannot be provided together.');
  }
  const token = liveToken(call, text);
  return { name: token.stream, after: token.after, filter: token.filter as Filter | undefined };
}

function passes(state: StreamState, shard: ShardState, filter: Filter | undefined, nowMs: number): boolean {
  const horizonMs = trimHorizonMs(state, nowMs);
  const kept = shard.closed === undefined || shard.closed.atMs >= horizonMs;
  if (!kept) return false;
  switch (filter?.Type) {
    case undefined:
    case 'FROM_TRIM_HORIZON':
      return true;
    case 'AT_LATEST':
      return shard.closed === undefined;
    case 'AT_TRIM_HORIZON':
      return wasOpenAt(shard, Math.max(horizonMs, state.createdAtMs));
    case 'AT_TIMESTAMP':
      return wasOpenAt(shard, filter?.Timestamp ?? nowMs);
    case 'FROM_TIMESTAMP':
      return shard.closed === undefined || shard.closed.atMs >= (filter?.Timestamp ?? nowMs);
    case 'AFTER_SHARD_ID':
      return shardIdOf(shard.index) > (filter?.ShardId ?? '');
  }
}

function wasOpenAt(shard: ShardState, ms: number): boolean {
  return shard.openedAtMs <= ms && (shard.closed === undefined || shard.closed.atMs >= ms);
}
