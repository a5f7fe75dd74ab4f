import type { Clock } from '../runtime/clock.ts';
import { KinesisError } from './kinesis-error.ts';
import type { Room, SubscriptionPage } from './kinesis.ts';
import type { MemoryStream, Slice } from './memory-stream.ts';

/** A subscription ends after five minutes (API reference, SubscribeToShard). */
const subscriptionMs = 300_000;
/** A second call within five seconds is refused, a later one takes the subscription over (same page). */
const takeoverMs = 5_000;
/** A quiet shard still gets an empty page now and then; readers tell a dead connection by its absence. */
const quietPageMs = 5_000;
const pageRecordsMax = 10_000;

interface OpenRequest {
  readonly consumerArn: string;
  readonly stream: MemoryStream;
  readonly shardId: string;
  readonly place: bigint;
  readonly signal: AbortSignal;
  readonly room: Room | undefined;
}

interface Live {
  readonly streamName: string;
  readonly openedAtMs: number;
  /** Something happened since the last look at the shard, perhaps while the reader held a page. */
  changed: boolean;
  wake: () => void;
  ended: KinesisError | undefined;
}

/** Enhanced fan-out in memory: who is registered, and at most one live subscription per consumer and shard. */
export class Subscriptions {
  readonly #clock: Clock;
  readonly #streamOf = new Map<string, string>();
  readonly #live = new Map<string, Live>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  register(stream: string, streamArn: string, name: string): string {
    const consumerArn = `${streamArn}/consumer/${name}:1`;
    this.#streamOf.set(consumerArn, stream);
    return consumerArn;
  }

  streamOf(consumerArn: string): string {
    const stream = this.#streamOf.get(consumerArn);
    if (stream === undefined) throw new KinesisError('stream-not-found', `${consumerArn} is not registered`);
    return stream;
  }

  wake(stream: string): void {
    for (const live of this.#live.values()) if (live.streamName === stream) notify(live);
  }

  cut(): void {
    for (const live of this.#live.values()) {
      end(live, new KinesisError('kinesis-unavailable', 'The connection of the subscription was cut'));
    }
  }

  open(request: OpenRequest): AsyncIterable<SubscriptionPage> {
    const key = `${request.consumerArn} ${request.shardId}`;
    const now = this.#clock.monotonic();
    const older = this.#live.get(key);
    if (older && now - older.openedAtMs < takeoverMs) {
      throw new KinesisError('resource-in-use', `${key} was subscribed less than 5 s ago`);
    }
    if (older)
      end(older, new KinesisError('resource-in-use', `${key} was taken over by a newer subscription`));
    const live: Live = {
      streamName: request.stream.name,
      openedAtMs: now,
      changed: false,
      wake: () => {},
      ended: undefined,
    };
    this.#live.set(key, live);
    return this.#pages(key, live, request);
  }

  async *#pages(key: string, live: Live, request: OpenRequest): AsyncGenerator<SubscriptionPage> {
    let place: bigint | undefined = request.place;
    const wake = (): void => notify(live);
    request.signal.addEventListener('abort', wake, { once: true });
    try {
      while (place !== undefined && !request.signal.aborted) {
        if (live.ended) throw live.ended;
        const leftMs = live.openedAtMs + subscriptionMs - this.#clock.monotonic();
        if (leftMs <= 0) return;
        live.changed = false;
        const slice = request.stream.slice(request.shardId, place, pageRecordsMax, this.#clock.now());
        await request.room?.(slice.records.reduce((bytes, { data }) => bytes + data.length, 0));
        yield pageOf(slice);
        place = slice.next;
        if (slice.records.length === 0) await this.#quiet(live, Math.min(leftMs, quietPageMs));
      }
    } finally {
      request.signal.removeEventListener('abort', wake);
      if (this.#live.get(key) === live) this.#live.delete(key);
    }
  }

  /** Until records come, the subscription is ended from outside, or `ms` have passed. */
  async #quiet(live: Live, ms: number): Promise<void> {
    if (live.changed) return;
    const woken = new AbortController();
    live.wake = () => woken.abort();
    await this.#clock.sleep(ms, woken.signal);
    live.wake = () => {};
  }
}

function end(live: Live, error: KinesisError): void {
  live.ended = error;
  notify(live);
}

function notify(live: Live): void {
  live.changed = true;
  live.wake();
}

/** To go on, subscribe AFTER the continuation (as the Java KCL does): AT it would repeat the last record. */
function pageOf(slice: Slice): SubscriptionPage {
  const { records, millisBehindLatest, childShards, next } = slice;
  return {
    records,
    millisBehindLatest,
    childShards,
    ...(next !== undefined && { continuationSequenceNumber: (next - 1n).toString() }),
  };
}
