import { invalidArgument, notFound, ServiceError } from '../errors.ts';
import type { ConsumerState, StreamState } from '../storage/stream-state.ts';
import type { Stream } from '../storage/stream.ts';
import { formatPageToken } from '../tokens.ts';
import { consumerArn, consumerName, pageToken, streamArn, tags } from '../validation/members.ts';
import { integer, optional, parse, shape, timestampMs } from '../validation/rules.ts';
import { nameFromArn, nameOfStream, seconds, type Call, type Reply } from './call.ts';
import { checkCreationTime, liveToken } from './list-shards.ts';

const registerShape = shape({ StreamARN: streamArn, ConsumerName: consumerName, Tags: optional(tags) });
const consumerShape = shape({
  StreamARN: optional(streamArn),
  ConsumerName: optional(consumerName),
  ConsumerARN: optional(consumerArn),
});
const listShape = shape({
  StreamARN: streamArn,
  NextToken: optional(pageToken),
  MaxResults: optional(integer(1, 10_000)),
  StreamCreationTimestamp: optional(timestampMs),
});

/** The service's default for a stream in provisioned mode. */
const CONSUMERS_MAX = 20;
const PAGE_DEFAULT = 100;

export interface FoundConsumer {
  readonly stream: Stream;
  readonly consumer: ConsumerState;
}

export function registerConsumer(call: Call, input: unknown): Reply {
  const read = parse(registerShape, input);
  const stream = call.account.activeStream(nameOfStream(call, read), call.nowMs);
  const { consumers, name, arn } = stream.state;
  const { accountId } = call.account.identity;
  if (consumers.some((consumer) => consumer.name === read.ConsumerName)) {
    throw new ServiceError(
      'ResourceInUseException',
      `Consumer ${read.ConsumerName} of stream ${name} under account ${accountId} already exists.`,
    );
  }
  if (consumers.length >= CONSUMERS_MAX) {
    throw new ServiceError(
      'LimitExceededException',
      `Stream ${name} under account ${accountId} has ${CONSUMERS_MAX} consumers already.`,
    );
  }
  const consumer = {
    name: read.ConsumerName,
    arn: `${arn}/consumer/${read.ConsumerName}:${Math.floor(call.nowMs / 1000)}`,
    createdAtMs: call.nowMs,
    activeAtMs: call.nowMs + call.settings.createStreamMs,
    tags: read.Tags ?? {},
  };
  stream.change((state) => ({ ...state, consumers: [...state.consumers, consumer] }), call.nowMs);
  // The service always answers CREATING: who needs the consumer asks DescribeStreamConsumer until it is ACTIVE.
  return JSON.stringify({ Consumer: { ...consumerJson(consumer, call.nowMs), ConsumerStatus: 'CREATING' } });
}

export function describeConsumer(call: Call, input: unknown): Reply {
  const { stream, consumer } = requestedConsumer(call, input);
  return JSON.stringify({
    ConsumerDescription: { ...consumerJson(consumer, call.nowMs), StreamARN: stream.state.arn },
  });
}

export function deregisterConsumer(call: Call, input: unknown): Reply {
  const { stream, consumer } = requestedConsumer(call, input);
  const others = (state: StreamState): readonly ConsumerState[] =>
    state.consumers.filter((candidate) => candidate.arn !== consumer.arn);
  stream.change((state) => ({ ...state, consumers: others(state) }), call.nowMs);
  return '';
}

export function listConsumers(call: Call, input: unknown): Reply {
  const read = parse(listShape, input);
  const { state } = call.account.stream(nameOfStream(call, read), call.nowMs);
  checkCreationTime(call, state, read.StreamCreationTimestamp);
  const after = read.NextToken === undefined ? '' : liveToken(call, read.NextToken).after;
  const rest = state.consumers
    .filter((consumer) => consumer.name > after)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const page = rest.slice(0, Math.min(read.MaxResults ?? PAGE_DEFAULT, PAGE_DEFAULT));
  const last = page.at(-1);
  const token =
    last === undefined || page.length === rest.length
      ? {}
      : {
          NextToken: formatPageToken({
            stream: state.name,
            createdAtMs: state.createdAtMs,
            after: last.name,
            issuedAtMs: call.nowMs,
            filter: undefined,
          }),
        };
  return JSON.stringify({ Consumers: page.map((consumer) => consumerJson(consumer, call.nowMs)), ...token });
}

/** Throws ResourceNotFoundException. */
export function consumerOfArn(call: Call, arn: string): FoundConsumer {
  const stream = call.account.stream(nameFromArn(arn) ?? arn, call.nowMs);
  const consumer = stream.state.consumers.find((candidate) => candidate.arn === arn);
  if (!consumer)
    throw notFound(`Consumer ${arn} under account ${call.account.identity.accountId} not found.`);
  return { stream, consumer };
}

function requestedConsumer(call: Call, input: unknown): FoundConsumer {
  const read = parse(consumerShape, input);
  if (read.ConsumerARN !== undefined) return consumerOfArn(call, read.ConsumerARN);
  if (read.StreamARN === undefined || read.ConsumerName === undefined) {
    throw invalidArgument('Either ConsumerARN or both StreamARN and ConsumerName must be given.');
  }
  const stream = call.account.stream(nameOfStream(call, { StreamARN: read.StreamARN }), call.nowMs);
  const consumer = stream.state.consumers.find((candidate) => candidate.name === read.ConsumerName);
  if (!consumer) {
    throw notFound(
      `Consumer ${read.ConsumerName} of stream ${stream.state.name} under account ${call.account.identity.accountId} not found.`,
    );
  }
  return { stream, consumer };
}

function consumerJson(consumer: ConsumerState, nowMs: number): object {
  return {
    ConsumerName: consumer.name,
    ConsumerARN: consumer.arn,
    ConsumerStatus: nowMs < consumer.activeAtMs ? 'CREATING' : 'ACTIVE',
    ConsumerCreationTimestamp: seconds(consumer.createdAtMs),
  };
}
