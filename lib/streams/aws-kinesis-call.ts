import { systemClock } from '../runtime/clock.ts';
import { type Backoff, retry } from '../runtime/retry.ts';
import { kinesisErrorOf } from './aws-kinesis-errors.ts';
import { KinesisError } from './kinesis-error.ts';

/** Control calls are rare and their rate is shared by the account; reads and puts are retried by their loops. */
const controlBackoff: Backoff = { firstMs: 100, maxMs: 2_000, tries: 5 };

export interface CallOptions {
  /** The call and its object, for messages: `GetRecords of orders`. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** The call takes a place in a shard, which it may refuse. */
  readonly positional?: boolean;
}

/** One SDK call with a deadline; its failures become KinesisErrors, an abort the signal's reason. */
export async function callOnce<T>(
  options: CallOptions,
  send: (http: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const { what, timeoutMs, signal, positional = false } = options;
  signal?.throwIfAborted();
  // Not AbortSignal.any: on Node 20 it keeps an entry per call on a signal that lives as long as the process.
  const deadline = new AbortController();
  const answered = new AbortController();
  const abort = (): void => deadline.abort();
  signal?.addEventListener('abort', abort, { once: true });
  const watch = systemClock.sleep(timeoutMs, answered.signal).then(() => {
    if (!answered.signal.aborted) abort();
  });
  try {
    return await send({ abortSignal: deadline.signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (deadline.signal.aborted) {
      throw new KinesisError('kinesis-unavailable', `${what}: no answer within ${timeoutMs} ms`, error);
    }
    throw kinesisErrorOf(error, what, positional);
  } finally {
    answered.abort();
    await watch;
    signal?.removeEventListener('abort', abort);
  }
}

/** A control call, tried again while its error is retryable. */
export function patiently<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  return retry(work, {
    backoff: controlBackoff,
    retryable: (error) => error instanceof KinesisError && error.retryable,
    clock: systemClock,
    ...(signal && { signal }),
  });
}
