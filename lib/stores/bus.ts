import { type SQSClient, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { Clock } from '../runtime/clock.ts';
import { PlatformError } from '../runtime/errors.ts';
import { type Backoff, retry } from '../runtime/retry.ts';
import { sendOptions } from './batches.ts';
import { inFlight } from './in-flight.ts';

/** `id` is the same whenever the same thing is told again: receivers drop repeats by it. */
export interface BusMessage {
  readonly id: string;
  /** `event` or `archived`. */
  readonly kind: string;
  readonly type: string;
  readonly body: string;
}

/** The SQS queue of the bus: at least once, in no order. Message attributes: `id`, `kind`, `type`. */
export interface Bus {
  readonly send: (messages: readonly BusMessage[], signal?: AbortSignal) => Promise<void>;
}

/** SendMessageBatch: 10 messages, and together what one message may have. */
const messagesMax = 10;
/** Queues made before August 2025 take no more; a newer one takes 1 MiB. */
export const messageBytesMax = 262_144;
/** What attributes add to a body, at most: names and types, an id and a type of 256 characters of up to 4 bytes. */
export const attributeBytesMax = 3_072;
const batchesInFlightMax = 4;
/** About 15 s in all; then the caller's own retry decides. */
const backoff: Backoff = { firstMs: 50, maxMs: 5_000, tries: 8 };

export interface BusOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly clock: Clock;
}

/** @throws PlatformError `bus-unavailable` (retryable) or `bus-refused`, when a message was not taken */
export function createBus(options: BusOptions): Bus {
  return {
    send: async (messages, signal) => {
      await inFlight(batchesOf(messages), batchesInFlightMax, async (batch) => {
        let left = batch;
        await retry(
          async () => {
            left = await sendBatch(options, left, signal);
            if (left.length > 0) throw unavailable(left.length);
          },
          {
            backoff,
            retryable: (error) => error instanceof PlatformError && error.retryable,
            clock: options.clock,
            ...(signal ? { signal } : {}),
          },
        );
      });
    },
  };
}

/** Those that were not taken, through no fault of theirs. */
async function sendBatch(
  { client, queueUrl }: BusOptions,
  messages: readonly BusMessage[],
  signal?: AbortSignal,
): Promise<readonly BusMessage[]> {
  const text = (value: string) => ({ DataType: 'String', StringValue: value });
  const answer = await client.send(
    new SendMessageBatchCommand({
      QueueUrl: queueUrl,
      Entries: messages.map(({ id, kind, type, body }, index) => ({
        Id: String(index),
        MessageBody: body,
        MessageAttributes: { id: text(id), kind: text(kind), type: text(type) },
      })),
    }),
    sendOptions(signal),
  );
  const failed = answer.Failed ?? [];
  const refused = failed.find(({ SenderFault }) => SenderFault);
  if (refused) {
    throw new PlatformError(
      'bus-refused',
      `The bus refused a message: ${refused.Code} ${refused.Message ?? ''}`,
    );
  }
  return failed.flatMap(({ Id }) => messages[Number(Id)] ?? []);
}

function batchesOf(messages: readonly BusMessage[]): readonly (readonly BusMessage[])[] {
  const batches: BusMessage[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    const size = Buffer.byteLength(message.body) + attributeBytesMax;
    const current = batches.at(-1);
    if (current && current.length < messagesMax && bytes + size <= messageBytesMax) {
      current.push(message);
      bytes += size;
    } else {
      batches.push([message]);
      bytes = size;
    }
  }
  return batches;
}

function unavailable(count: number): PlatformError {
  return new PlatformError('bus-unavailable', `The bus did not take ${count} messages`, { retryable: true });
}
