import {
  DescribeStreamConsumerCommand,
  type KinesisClient,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
} from '@aws-sdk/client-kinesis';
import { systemClock } from '../runtime/clock.ts';
import { answerOf } from './aws-answer.ts';
import { callOnce, patiently } from './aws-kinesis-call.ts';
import { kinesisErrorOf } from './aws-kinesis-errors.ts';
import { fromReadFrom, given, toSubscriptionPage } from './aws-kinesis-shapes.ts';
import { type EventMessage, readMessages } from './event-stream.ts';
import { KinesisError } from './kinesis-error.ts';
import type { ReadFrom, Room, SubscriptionPage } from './kinesis.ts';
import { parseRecordsBody } from './records-body.ts';

const controlMs = 4_000;
/** The first answer to SubscribeToShard; after it, pages come as they come. */
const openMs = 8_000;
/** A registration takes seconds; a minute without ACTIVE means that something is wrong. */
const registrationTries = 60;
const registrationPauseMs = 1_000;

/** The consumer's ARN once it is ACTIVE; registers it if there is none. Two callers at once end with the same one. */
export async function registerConsumer(
  client: KinesisClient,
  streamArn: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  for (let attempt = 1; attempt <= registrationTries; attempt += 1) {
    const found = await patiently(signal, () => describeConsumer(client, streamArn, name, signal));
    if (found?.ConsumerStatus === 'ACTIVE') return given(found.ConsumerARN, `consumer ${name}`);
    if (!found) await patiently(signal, () => register(client, streamArn, name, signal));
    else await systemClock.sleep(registrationPauseMs, signal);
    signal?.throwIfAborted();
  }
  throw new KinesisError('kinesis-unavailable', `Consumer ${name} of ${streamArn} did not become ACTIVE`);
}

async function describeConsumer(
  client: KinesisClient,
  streamArn: string,
  name: string,
  signal: AbortSignal | undefined,
) {
  const options = { what: `DescribeStreamConsumer of ${name}`, timeoutMs: controlMs, signal };
  const command = new DescribeStreamConsumerCommand({ StreamARN: streamArn, ConsumerName: name });
  try {
    const output = await callOnce(options, (http) => client.send(command, http));
    return output.ConsumerDescription;
  } catch (error) {
    if (error instanceof KinesisError && error.code === 'stream-not-found') return undefined;
    throw error;
  }
}

async function register(
  client: KinesisClient,
  streamArn: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = { what: `RegisterStreamConsumer of ${name}`, timeoutMs: controlMs, signal };
  const command = new RegisterStreamConsumerCommand({ StreamARN: streamArn, ConsumerName: name });
  try {
    await callOnce(options, (http) => client.send(command, http));
  } catch (error) {
    // Another worker registers it at this moment: the next description shows it.
    if (!(error instanceof KinesisError && error.code === 'resource-in-use')) throw error;
  }
}

/** The pages of one SubscribeToShard; the connection is closed when the caller stops reading. */
export async function* subscribe(
  client: KinesisClient,
  to: { readonly consumerArn: string; readonly shardId: string; readonly from: ReadFrom },
  signal: AbortSignal,
  room?: Room,
): AsyncGenerator<SubscriptionPage> {
  const { consumerArn, from, shardId } = to;
  const what = `SubscribeToShard of ${shardId} by ${consumerArn}`;
  const connection = new AbortController();
  const abort = (): void => connection.abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const command = new SubscribeToShardCommand({
      ConsumerARN: consumerArn,
      ShardId: shardId,
      StartingPosition: fromReadFrom(from),
    });
    const opened = await callOnce({ what, timeoutMs: openMs, signal, positional: true }, (http) => {
      http.abortSignal.addEventListener('abort', abort, { once: true });
      return answerOf(client, command, { abortSignal: connection.signal });
    });
    for await (const message of readMessages(opened.body, room)) {
      if (signal.aborted) return;
      const event = eventIn(message);
      if (event !== undefined) yield toSubscriptionPage(event, what);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof KinesisError ? error : kinesisErrorOf(error, what, true);
  } finally {
    signal.removeEventListener('abort', abort);
    connection.abort();
  }
}

/** The page of a message; undefined for those that open a stream, or that nobody knows yet. Throws what it tells of. */
function eventIn({ headers, payload }: EventMessage): object | undefined {
  const type = headers.get(':message-type');
  if (type === 'exception') {
    const { message } = JSON.parse(payload.toString()) as { readonly message?: string };
    throw Object.assign(new Error(message), { name: headers.get(':exception-type') });
  }
  if (type === 'error')
    throw Object.assign(new Error(headers.get(':error-message')), { name: headers.get(':error-code') });
  return headers.get(':event-type') === 'SubscribeToShardEvent' ? parseRecordsBody(payload) : undefined;
}
