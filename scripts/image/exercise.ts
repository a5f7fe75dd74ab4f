import { systemClock } from '../../lib/runtime/clock.ts';
import { PlatformError } from '../../lib/runtime/errors.ts';

const pollMs = 200;

/** One event for every way through the platform: each stream, the bus, an alert, a derived event. */
const events = [
  { id: 'city-1', type: 'weather', kind: 'city', severity: 'critical', city: 'NYC', data: {} },
  { id: 'product-1', type: 'account:created', kind: 'product', data: {} },
  { id: 'user-1', type: 'PURCHASE', kind: 'user', data: { amount: 5_000 } },
  { id: 'technical-1', type: 'TLSv12', kind: 'technical', data: {} },
  { id: 'unrouted-1', type: 'nobody-knows', kind: 'unheard-of', data: {} },
].map((event) => ({ specversion: '1.0', source: 'image-check', time: '2026-01-01T00:00:00Z', ...event }));

/**
 * Sends the events and resolves once all that are routed are stored, the purchase has its derived event, and every page
 * of the query service answered.
 */
export async function exercise(ingestUrl: string, queryUrl: string, signal: AbortSignal): Promise<void> {
  // Twice, as a client does that lost the first answer: the second is answered from the table of keys.
  for (let time = 0; time < 2; time += 1) {
    const sent = await fetch(`${ingestUrl}/v1/events:batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'image-check-1' },
      body: JSON.stringify({ events }),
      signal,
    });
    if (!sent.ok) throw new PlatformError('image', `ingest answered ${sent.status}: ${await sent.text()}`);
  }
  const routed = events.filter(({ kind }) => kind !== 'unheard-of');
  for (const { id } of routed) await until(`${queryUrl}/v1/events/${id}`, () => true, signal);
  const some = (page: Page): boolean => page.items.length > 0;
  await until(`${queryUrl}/v1/events?type=HIGH_VALUE_PURCHASE`, some, signal);
  await until(`${queryUrl}/v1/events?city=NYC`, some, signal);
  await until(`${queryUrl}/v1/alerts`, some, signal);
  for (const path of ['windows', 'status', 'stats'])
    await until(`${queryUrl}/v1/${path}`, () => true, signal);
}

interface Page {
  readonly items: readonly unknown[];
}

/** Asks until the answer is 200 and as it should be. */
async function until(url: string, isDone: (page: Page) => boolean, signal: AbortSignal): Promise<void> {
  let last = 'no answer';
  while (!signal.aborted) {
    const answer = await fetch(url, { signal });
    const text = await answer.text();
    if (answer.ok && isDone(JSON.parse(text) as Page)) return;
    last = `${answer.status} ${text.slice(0, 200)}`;
    await systemClock.sleep(pollMs);
  }
  throw new PlatformError('image', `${url} is not as it should be in time: ${last}`);
}
