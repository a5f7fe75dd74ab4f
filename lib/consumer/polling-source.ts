import { backoffMs, type Backoff } from '../runtime/retry.ts';
import type { ReadPage } from '../streams/kinesis.ts';
import type { Grant } from './byte-budget.ts';
import { failureOf } from './failures.ts';
import { expectedBytes } from './page-size.ts';
import type { ReadEnd, ReadSession } from './read-session.ts';

/** A full read of 10 MiB makes Kinesis refuse further reads of the shard for about 5 seconds. */
const throttledBackoff: Backoff = { firstMs: 250, maxMs: 5_000, tries: Number.POSITIVE_INFINITY };

/** Other applications share the 5 reads a second: a few refusals in a row are everyday. */
const throttledQuietly = 4;

interface Poller {
  iterator: string | undefined;
  failures: number;
  throttled: number;
  /** When everything had been read; undefined while the shard is behind. */
  caughtUpAtMs: number | undefined;
  /** Since when the shard has been behind without a record or a smaller lag. */
  behind: { readonly sinceMs: number; readonly lagMs: number } | undefined;
}

/** Reads with GetRecords until the shard ends, `signal` aborts or the monotonic clock passes `untilMs`. */
export async function poll(
  session: ReadSession,
  signal: AbortSignal,
  untilMs = Number.POSITIVE_INFINITY,
): Promise<ReadEnd> {
  const { clock, queue, share } = session.ports;
  const poller: Poller = {
    iterator: undefined,
    failures: 0,
    throttled: 0,
    caughtUpAtMs: undefined,
    behind: undefined,
  };
  while (!signal.aborted && clock.monotonic() < untilMs) {
    await queue.room(signal);
    const grant = await share.reserve(toReserve(poller, clock.monotonic()), signal);
    if (grant === undefined) break;
    const startedMs = clock.monotonic();
    const next = await readOnce(session, poller, grant, signal);
    if (typeof next !== 'number') return next;
    await clock.sleep(Math.max(0, startedMs + next - clock.monotonic()), signal);
  }
  return { type: 'aborted' };
}

/** Taken before the call, so that the budget is a bound; little for a shard that was read to its tip just now. */
function toReserve({ caughtUpAtMs }: Poller, nowMs: number): number {
  return expectedBytes(caughtUpAtMs === undefined ? Number.POSITIVE_INFINITY : nowMs - caughtUpAtMs);
}

/** One read. Gives the time until the next one, or why there is none. */
async function readOnce(
  session: ReadSession,
  poller: Poller,
  grant: Grant,
  signal: AbortSignal,
): Promise<ReadEnd | number> {
  const { clock, kinesis, options, shardId, stream } = session.ports;
  const readAtMs = clock.now();
  const askedAtMs = clock.monotonic();
  let page: ReadPage;
  try {
    poller.iterator ??= await kinesis.iterator(stream, shardId, session.open(), signal);
    page = await kinesis.read(stream, poller.iterator, options.recordsPerReadMax, signal);
  } catch (error) {
    grant.release();
    return recover(session, poller, error, signal);
  }
  poller.iterator = page.nextIterator;
  poller.throttled = 0;
  const lagMs = page.millisBehindLatest;
  poller.caughtUpAtMs = lagMs === 0 ? askedAtMs : undefined;
  const isEnd = page.nextIterator === undefined;
  const read = { records: page.records, lagMs, readAtMs, isEnd };
  if (!(await session.accept(read, grant))) return { type: 'stopped' };
  if (isEnd) return endOfShard(session, poller, page, signal);
  poller.failures = 0;
  if (!(await progressed(session, poller, page))) return { type: 'stopped' };
  return lagMs > 0 ? options.readMs : options.pollMs;
}

async function endOfShard(
  session: ReadSession,
  poller: Poller,
  page: ReadPage,
  signal: AbortSignal,
): Promise<ReadEnd | number> {
  try {
    const children = await session.childrenAtEnd(page.childShards, signal);
    if (children.length > 0) return (await session.ends()) ? { type: 'end', children } : { type: 'stopped' };
  } catch (error) {
    return recover(session, poller, error, signal);
  }
  // A closed shard has children; without them this was a hiccup of the service, as KCL found too.
  const message = `The end of ${session.ports.shardId} came without its children; it is read again`;
  const attempt = (poller.failures += 1);
  session.ports.report({ type: 'read-failed', attempt, failure: { code: 'no-children', message } });
  return session.pauseMs(attempt);
}

async function recover(
  session: ReadSession,
  poller: Poller,
  error: unknown,
  signal: AbortSignal,
): Promise<ReadEnd | number> {
  if (signal.aborted) return { type: 'aborted' };
  const { random, report } = session.ports;
  const failure = failureOf(error, 'read-failed');
  if (failure.code === 'throttled') {
    poller.throttled += 1;
    if (poller.throttled > throttledQuietly) report({ type: 'read-throttled', inRow: poller.throttled });
    return backoffMs(throttledBackoff, poller.throttled, random());
  }
  poller.iterator = undefined;
  poller.failures += 1;
  if (failure.code === 'iterator-expired') report({ type: 'iterator-expired' });
  else report({ type: 'read-failed', attempt: poller.failures, failure });
  if (failure.code === 'invalid-position' && !session.refused()) return { type: 'stopped' };
  if (failure.code === 'shard-not-found') {
    const end = await whenGone(session, poller, signal);
    if (end) return end;
  }
  return failure.code === 'iterator-expired' && poller.failures === 1 ? 0 : session.pauseMs(poller.failures);
}

async function whenGone(
  session: ReadSession,
  poller: Poller,
  signal: AbortSignal,
): Promise<ReadEnd | undefined> {
  try {
    return await session.gone(signal);
  } catch (error) {
    const failure = failureOf(error, 'read-failed');
    session.ports.report({ type: 'read-failed', attempt: poller.failures, failure });
    return undefined;
  }
}

/** Looks for a shard that is behind and stays where it is. False: reading stops here (data loss). */
async function progressed(session: ReadSession, poller: Poller, page: ReadPage): Promise<boolean> {
  const nowMs = session.ports.clock.monotonic();
  const lagMs = page.millisBehindLatest;
  const moved =
    page.records.length > 0 || lagMs === 0 || poller.behind === undefined || lagMs < poller.behind.lagMs;
  if (moved) {
    poller.behind = lagMs === 0 ? undefined : { sinceMs: nowMs, lagMs };
    return true;
  }
  const forMs = nowMs - (poller.behind?.sinceMs ?? nowMs);
  if (forMs < session.ports.options.stalledMs) return true;
  poller.iterator = undefined;
  poller.behind = undefined;
  return session.stalled(lagMs, forMs);
}
