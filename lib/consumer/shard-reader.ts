import { subscribe } from './fan-out-source.ts';
import { poll } from './polling-source.ts';
import type { ReadEnd, ReadSession } from './read-session.ts';

/** How long polling stands in for fan-out before that is tried again. */
const fallbackMs = 5 * 60_000;

/**
 * Reads one shard into its queue until it ends or `signal` aborts: by polling, or by enhanced fan-out with polling
 * as its stand-in. Never rejects: what Kinesis does is retried and reported, anything else is given to the queue.
 */
export async function readShard(session: ReadSession, signal: AbortSignal): Promise<void> {
  const { options, queue } = session.ports;
  try {
    const end =
      options.reading === 'polling' ? await poll(session, signal) : await readByFanOut(session, signal);
    if (end.type === 'end') queue.push(end);
  } catch (error) {
    queue.push({ type: 'failed', error });
  }
}

async function readByFanOut(session: ReadSession, signal: AbortSignal): Promise<ReadEnd> {
  const { clock, report } = session.ports;
  for (;;) {
    const end = await subscribe(session, signal);
    if (end.type !== 'gave-up') return end;
    report({ type: 'source-fell-back', failure: end.failure });
    const polled = await poll(session, signal, clock.monotonic() + fallbackMs);
    if (polled.type !== 'aborted' || signal.aborted) return polled;
    report({ type: 'source-came-back' });
  }
}
