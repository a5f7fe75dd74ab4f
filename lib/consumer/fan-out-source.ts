import type { Clock } from '../runtime/clock.ts';
import { PlatformError } from '../runtime/errors.ts';
import type { ReadFrom, SubscriptionPage } from '../streams/kinesis.ts';
import { Admission } from './admission.ts';
import type { Grant } from './byte-budget.ts';
import { failureOf, type Failure } from './failures.ts';
import { sizeOf } from './page-size.ts';
import type { ReadEnd, ReadSession } from './read-session.ts';

/**
 * A second SubscribeToShard within 5 seconds of the first is refused (ResourceInUse); after that it takes the
 * subscription over and ends the old owner's (SubscribeToShard, API reference).
 */
const takeoverMs = 5_250;

/** SubscribeToShard may be called once a second per consumer and shard. */
const resubscribeMs = 1_050;

/** Refused or broken so often in a row, with no page in between: polling takes over. */
const failuresMax = 5;

/** A live subscription sends an event at least every few seconds, empty ones included. */
const silentMs = 35_000;

/** An event that is there sooner than this after it was asked for had been waiting in a buffer. */
const bufferedMs = 10;

interface Subscriber {
  consumerArn: string | undefined;
  continuation: string | undefined;
  failures: number;
  /** The last page surely tells of the shard as it was at this time, or later. Wall clock. */
  asOfMs: number;
}

type Subscribed = { readonly type: 'over' } | { readonly type: 'failed'; readonly error: unknown } | ReadEnd;

export type FanOutEnd = ReadEnd | { readonly type: 'gave-up'; readonly failure: Failure };

/** Reads with SubscribeToShard until the shard ends, `signal` aborts or too many failures came in a row. */
export async function subscribe(session: ReadSession, signal: AbortSignal): Promise<FanOutEnd> {
  const { clock } = session.ports;
  const asOfMs = clock.now();
  const subscriber: Subscriber = { consumerArn: undefined, continuation: undefined, failures: 0, asOfMs };
  while (!signal.aborted) {
    const startedMs = clock.monotonic();
    const subscribed = await subscribeOnce(session, subscriber, signal);
    switch (subscribed.type) {
      case 'end':
      case 'stopped':
      case 'aborted':
        return subscribed;
      case 'over':
        await clock.sleep(Math.max(0, startedMs + resubscribeMs - clock.monotonic()), signal);
        break;
      case 'failed': {
        const pauseMs = failed(session, subscriber, subscribed.error);
        if (typeof pauseMs !== 'number') return pauseMs;
        await clock.sleep(pauseMs, signal);
        break;
      }
    }
  }
  return { type: 'aborted' };
}

function failed(session: ReadSession, subscriber: Subscriber, error: unknown): FanOutEnd | number {
  const failure = failureOf(error, 'subscribe-failed');
  subscriber.failures += 1;
  if (failure.code === 'invalid-position') {
    subscriber.continuation = undefined;
    if (!session.refused()) return { type: 'stopped' };
  }
  // The consumer may have been deregistered by somebody: it is registered anew.
  if (failure.code === 'stream-not-found' || failure.code === 'invalid-argument')
    subscriber.consumerArn = undefined;
  // Polling finds out whether the shard really is gone.
  const hopeless = failure.code === 'shard-not-found' || subscriber.failures >= failuresMax;
  if (hopeless) return { type: 'gave-up', failure };
  session.ports.report({ type: 'read-failed', attempt: subscriber.failures, failure });
  return failure.code === 'resource-in-use'
    ? takeoverMs
    : Math.max(resubscribeMs, session.pauseMs(subscriber.failures));
}

async function subscribeOnce(
  session: ReadSession,
  subscriber: Subscriber,
  signal: AbortSignal,
): Promise<Subscribed> {
  const { application, clock, kinesis, queue, shardId, share, stream } = session.ports;
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const admission = new Admission(share, clock, either);
  try {
    subscriber.consumerArn ??= await kinesis.registerConsumer(stream, application, signal);
    const pages = kinesis
      .subscribe(subscriber.consumerArn, shardId, opening(session, subscriber), either, admission.room)
      [Symbol.asyncIterator]();
    for (;;) {
      await queue.room(signal);
      const askedAtMs = clock.now();
      const askedMs = clock.monotonic();
      const next = await nextPage(pages, clock, over, admission);
      if (signal.aborted) return { type: 'aborted' };
      if (next === undefined) return { type: 'over' };
      const paid = await admission.claim(sizeOf(next.records).heldBytes);
      if (paid === undefined) return { type: 'aborted' };
      if (paid.cameMs - askedMs >= bufferedMs) subscriber.asOfMs = askedAtMs;
      const ended = await take(session, subscriber, next, paid.grant, signal);
      if (ended) return ended;
    }
  } catch (error) {
    return signal.aborted ? { type: 'aborted' } : { type: 'failed', error };
  } finally {
    over.abort();
    admission.release();
  }
}

function opening(session: ReadSession, subscriber: Subscriber): ReadFrom {
  return subscriber.continuation === undefined
    ? session.open()
    : session.continueAfter(subscriber.continuation);
}

/** The next event; undefined when the service ended the subscription (5 minutes). Rejects when it fell silent. */
async function nextPage(
  pages: AsyncIterator<SubscriptionPage>,
  clock: Clock,
  over: AbortController,
  admission: Admission,
): Promise<SubscriptionPage | undefined> {
  const next = pages.next();
  for (;;) {
    const heard = new AbortController();
    const silence = clock
      .sleep(silentMs, AbortSignal.any([heard.signal, over.signal]))
      .then(() => 'silent' as const);
    try {
      const first = await Promise.race([next, silence]);
      if (first !== 'silent') return first.done ? undefined : first.value;
      if (!admission.isWaiting) throw new PlatformError('subscription-silent', `No event for ${silentMs} ms`);
    } finally {
      heard.abort();
    }
  }
}

async function take(
  session: ReadSession,
  subscriber: Subscriber,
  page: SubscriptionPage,
  grant: Grant,
  signal: AbortSignal,
): Promise<ReadEnd | undefined> {
  const lagMs = page.millisBehindLatest;
  const isEnd = page.continuationSequenceNumber === undefined;
  const read = { records: page.records, lagMs, readAtMs: subscriber.asOfMs, isEnd };
  const going = await session.accept(read, grant);
  if (!going) return { type: 'stopped' };
  subscriber.failures = 0;
  subscriber.continuation = page.continuationSequenceNumber;
  if (!isEnd) return undefined;
  const children = await session.childrenAtEnd(page.childShards, signal);
  if (children.length === 0)
    throw new PlatformError('no-children', 'The end of the shard came without children');
  return (await session.ends()) ? { type: 'end', children } : { type: 'stopped' };
}
