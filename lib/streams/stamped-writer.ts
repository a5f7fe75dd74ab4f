import type { Clock } from '../runtime/clock.ts';
import { assert, PlatformError } from '../runtime/errors.ts';
import { type Backoff, backoffMs } from '../runtime/retry.ts';
import { fatesOf } from './call-fates.ts';
import type { Kinesis, PutOutcome } from './kinesis.ts';
import { makeEntry } from './outgoing-entry.ts';
import { type BatchLimits, batchBytesMax, batchRecordsMax, entryBytes, nextBatch } from './put-batches.ts';
import { PutFailed, type RecordOutcome, type RefusedRecord } from './put-failed.ts';
import { SettledPositions } from './settled-positions.ts';
import { formatStamp } from './stamp.ts';
import type { OutgoingRecord, PutReceipt, StampedWriter } from './writer.ts';
import {
  aborted,
  comesAgain,
  type Given,
  numbersItself,
  type Queued,
  queued,
  stopped,
} from './writer-queue.ts';

export { PutFailed, type RecordOutcome } from './put-failed.ts';

export interface WriterLimits extends BatchLimits {
  /** Largest record, data and partition key: what the stream is configured for. */
  readonly recordBytes: number;
  /** Records accepted and not yet settled, encoded or not; above it `put` waits before it queues its own. */
  readonly queuedRecords: number;
  /**
   * How far the writer goes on past a record that is refused again and again: readers keep every position above
   * the floor in the state that they save with each checkpoint.
   */
  readonly aheadRecords: number;
  /** Between the tries of a record. In all it must stay below what a lease's drain allows. */
  readonly backoff: Backoff;
}

export const writerLimits: WriterLimits = {
  batchRecords: batchRecordsMax,
  batchBytes: batchBytesMax,
  recordBytes: 1_048_576,
  // A page of GetRecords, so that a router's batch is queued whole.
  queuedRecords: 10_000,
  // At about ten bytes each a twentieth of a lease item.
  aheadRecords: 2_000,
  // About ten seconds in all.
  backoff: { firstMs: 50, maxMs: 2_000, tries: 10 },
};

/** What happened, for metrics and logs. */
export type WriterEvent =
  | { readonly type: 'put'; readonly records: number; readonly bytes: number; readonly ms: number }
  /** Entries of a call were refused and will be tried again. */
  | { readonly type: 'refused'; readonly records: number; readonly code: string; readonly waitMs: number }
  /** Entries were stored, but not behind the one before them under their key: they are put a second time. */
  | { readonly type: 'put-again'; readonly records: number }
  /** The call as a whole failed and will be tried again. */
  | { readonly type: 'call-failed'; readonly records: number; readonly code: string; readonly waitMs: number }
  | { readonly type: 'given-up'; readonly records: number; readonly code: string };

export interface StampedWriterOptions {
  readonly kinesis: Kinesis;
  readonly stream: string;
  readonly source: string;
  /** Every position ≤ this one was settled on the stream by an earlier writer of the source (its checkpoint). */
  readonly startFloor?: bigint;
  readonly clock: Clock;
  /** In [0, 1), for the jitter of retries. */
  readonly random: () => number;
  readonly limits?: Partial<WriterLimits>;
  readonly onEvent?: (event: WriterEvent) => void;
}

/**
 * See writer.ts for what is promised. One PutRecords call is in flight at a time and calls go out in the order
 * of `put`, so on a healthy stream the records of one writer lie in exactly the order given, over all keys (late
 * verdicts downstream depend on it). Records given while a call is in flight share the next one. A call that fails as
 * a whole is repeated before anything else; entries refused one by one hold back only their own keys. What was stored
 * behind a refused entry of its key is put again behind it: its stamp (`after`) has readers drop the first copy.
 * `put` throws PutFailed, or `bad-position` where positions do not increase. When its signal aborts, what is in
 * flight is awaited (one call's time at most), the rest is `aborted`.
 */
export function createStampedWriter(options: StampedWriterOptions): StampedWriter {
  const writer = new QueueingWriter(options);
  return { put: (records, signal) => writer.put(records, signal) };
}

class QueueingWriter {
  readonly #options: StampedWriterOptions;
  readonly #limits: WriterLimits;
  readonly #positions: SettledPositions;
  /** Puts for which the queue has no room yet. */
  readonly #line: Given[] = [];
  /** From the lowest position that is not settled on. */
  readonly #queue: Queued[] = [];
  #running = false;
  /** A call failed as a whole: nothing is sent before this time. */
  #pausedUntilMs = 0;
  #wake = new AbortController();
  /**
   * Records of the next call at most. A call most of which did not count is followed by a shorter one, lest the shard's
   * room goes to copies that do not count; then calls grow again.
   */
  #room: number;

  constructor(options: StampedWriterOptions) {
    this.#options = options;
    this.#limits = { ...writerLimits, ...options.limits };
    this.#positions = new SettledPositions(options.startFloor ?? 0n);
    this.#room = this.#limits.batchRecords;
  }

  async put(records: readonly OutgoingRecord[], signal?: AbortSignal): Promise<readonly PutReceipt[]> {
    if (records.length === 0) return [];
    let abort = (): void => {};
    const outcomes = await new Promise<readonly RecordOutcome[]>((resolve, reject) => {
      const given: Given = { records, outcomes: [], signal, resolve, reject, left: records.length };
      this.#line.push(given);
      abort = () => this.#abort(given);
      signal?.addEventListener('abort', abort);
      if (signal?.aborted) abort();
      this.#admit();
    }).finally(() => signal?.removeEventListener('abort', abort));
    const receipts = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.receipt] : []));
    if (receipts.length < records.length) throw new PutFailed(this.#options.stream, outcomes);
    return receipts;
  }

  #admit(): void {
    for (let [next] = this.#line; next !== undefined; [next] = this.#line) {
      const total = this.#queue.length + next.records.length;
      if (this.#queue.length > 0 && total > this.#limits.queuedRecords) break;
      this.#line.shift();
      this.#enqueue(next);
    }
    if (this.#queue.length > 0 && !this.#running) void this.#run();
  }

  #enqueue(given: Given): void {
    try {
      const wished = given.records.map((record) => record.position);
      const positions = this.#positions.give(wished, this.#queue.at(-1)?.position);
      for (const [index, record] of given.records.entries()) {
        const position = positions[index];
        assert(position !== undefined, 'every record has a position');
        this.#queue.push(queued(given, record, index, position));
      }
      this.#wake.abort();
    } catch (error) {
      given.reject(error);
    }
  }

  /** Never rejects: what it cannot explain rejects the puts that wait for it. */
  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#queue.length > 0) await this.#step();
    } catch (error) {
      for (const { given } of this.#queue) given.reject(error);
      this.#queue.length = 0;
    } finally {
      this.#running = false;
    }
    this.#admit();
  }

  async #step(): Promise<void> {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs < this.#pausedUntilMs) return this.#sleep(this.#pausedUntilMs - nowMs);
    const [lowest] = this.#queue;
    assert(lowest, 'a step has something to send');
    const floor = this.#positions.floorBelow(lowest.position);
    const open = this.#queue.slice(0, this.#limits.aheadRecords).filter(({ state }) => state !== 'settled');
    const lastOfKey = new Map<string, bigint>();
    const limits = { ...this.#limits, batchRecords: this.#room };
    const batch = nextBatch(open, nowMs, limits, (item) => this.#prepare(item, floor, lastOfKey));
    if (batch.dueAtMs !== undefined && batch.taken.length === 0) return this.#sleep(batch.dueAtMs - nowMs);
    for (const item of batch.taken) if (item.flaw) this.#giveUp([item], item.flaw);
    const sound = batch.taken.filter((item) => item.state === 'waiting');
    if (sound.length > 0) await this.#send(sound);
    this.#sweep();
  }

  /** Makes the entry; returns its bytes, 0 if it cannot be sent at all. `lastOfKey`: what the call has before it. */
  #prepare(item: Queued, floor: bigint, lastOfKey: Map<string, bigint>): number {
    const { source } = this.#options;
    const { key, position } = item;
    const after = lastOfKey.get(key);
    const stamp = formatStamp({ source, position, floor, ...(after !== undefined && { after }) });
    const made = makeEntry(item.record, stamp, this.#limits.recordBytes);
    if ('flaw' in made) {
      item.flaw = made.flaw;
      return 0;
    }
    item.entry = made.entry;
    lastOfKey.set(key, position);
    return entryBytes(made.entry);
  }

  async #send(items: readonly Queued[]): Promise<void> {
    const { kinesis, stream, clock, onEvent } = this.#options;
    const entries = items.flatMap((item) => item.entry ?? []);
    assert(entries.length === items.length, 'every record of a call has its entry');
    for (const item of items) {
      item.state = 'in-flight';
      item.sent = true;
    }
    const startMs = clock.monotonic();
    let outcomes: readonly PutOutcome[];
    try {
      outcomes = await kinesis.put(stream, entries);
    } catch (error) {
      this.#callFailed(items, error);
      return;
    }
    assert(outcomes.length === items.length, 'PutRecords answers every entry');
    const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    onEvent?.({ type: 'put', records: items.length, bytes, ms: clock.monotonic() - startMs });
    this.#take(items, outcomes);
  }

  #take(items: readonly Queued[], outcomes: readonly PutOutcome[]): void {
    const fates = fatesOf(
      items.map(({ key }) => key),
      outcomes,
    );
    const refused: Queued[] = [];
    const again: Queued[] = [];
    let wasted = 0;
    let flaw: RefusedRecord | undefined;
    for (const [index, item] of items.entries()) {
      const outcome = outcomes[index];
      if (fates[index] === 'again') {
        again.push(item);
        if (outcome?.ok) wasted += 1;
      } else if (outcome?.ok) {
        const { shardId, sequenceNumber } = outcome;
        this.#settle(item, { ok: true, receipt: { shardId, sequenceNumber } });
      } else {
        refused.push(item);
        flaw ??= outcome;
      }
    }
    const counted = items.length - refused.length - again.length;
    const longer = Math.min(this.#room * 2, this.#limits.batchRecords);
    this.#room = counted * 2 < items.length ? Math.max(1, counted) : longer;
    if (wasted > 0) this.#options.onEvent?.({ type: 'put-again', records: wasted });
    this.#requeue([...refused, ...again]);
    if (!flaw) return;
    const waitMs = this.#retry(refused, flaw);
    const untilMs = this.#options.clock.monotonic() + waitMs;
    for (const item of refused) if (item.state === 'waiting') item.notBeforeMs = untilMs;
    const records = items.length - counted - wasted;
    this.#options.onEvent?.({ type: 'refused', records, code: flaw.code, waitMs });
  }

  #callFailed(items: readonly Queued[], error: unknown): void {
    if (!(error instanceof PlatformError)) throw error;
    const flaw: RefusedRecord = { ok: false, code: error.code, message: error.message };
    if (!error.retryable) return this.#giveUp(items, flaw);
    this.#requeue(items);
    const waitMs = this.#retry(items, flaw);
    this.#pausedUntilMs = this.#options.clock.monotonic() + waitMs;
    this.#options.onEvent?.({ type: 'call-failed', records: items.length, code: error.code, waitMs });
  }

  /** Puts the records back to wait, except those that an abort or an earlier failure has overtaken meanwhile. */
  #requeue(items: readonly Queued[]): void {
    for (const item of items) {
      item.state = 'waiting';
      item.entry = undefined;
    }
    for (const item of items) if (item.stop) this.#settle(item, stopped);
    this.#giveUp(
      items.filter((item) => item.state === 'waiting' && item.given.signal?.aborted),
      aborted,
    );
  }

  /** Counts the try of those that wait again, and gives up those out of tries. Returns the wait. */
  #retry(items: readonly Queued[], flaw: RefusedRecord): number {
    const { backoff } = this.#limits;
    for (const item of items) item.tries += 1;
    this.#giveUp(
      items.filter((item) => item.state === 'waiting' && item.tries >= backoff.tries),
      flaw,
    );
    // One wait for all of them, so that they go again together and in order.
    return backoffMs(backoff, Math.max(...items.map((item) => item.tries)), this.#options.random());
  }

  #giveUp(items: readonly Queued[], flaw: RefusedRecord): void {
    if (items.length === 0) return;
    for (const item of items) this.#settle(item, flaw);
    this.#options.onEvent?.({ type: 'given-up', records: items.length, code: flaw.code });
    const first = items.find((item) => comesAgain(item.record, flaw));
    if (first) this.#stopBehind(first.position);
  }

  /**
   * A record that its sender numbers failed and will be put again under the same position. What is queued behind it
   * must not go out before: it would pass it, and its floor would have readers take the second try for a repeat.
   */
  #stopBehind(position: bigint): void {
    for (const item of this.#queue) {
      if (item.position <= position || item.record.position === undefined) continue;
      if (item.state === 'waiting') this.#settle(item, stopped);
      if (item.state === 'in-flight') item.stop = true;
    }
    this.#stopLine(0);
  }

  #stopLine(from: number): void {
    for (const given of this.#line.splice(from)) {
      if (numbersItself(given)) given.resolve(given.records.map(() => stopped));
      else this.#line.push(given);
    }
  }

  #settle(item: Queued, outcome: RecordOutcome): void {
    const { given, position, index } = item;
    item.state = item.sent && !outcome.ok ? 'failed' : 'settled';
    if (item.state === 'failed') item.notBeforeMs = Number.POSITIVE_INFINITY;
    item.entry = undefined;
    // Failed ones too: if they come again, nothing behind them has gone out, and they are open again.
    this.#positions.settle(position);
    given.outcomes[index] = outcome;
    given.left -= 1;
    if (given.left === 0) given.resolve(given.outcomes);
  }

  /** What is settled behind an open record stays: the queue is the window that `aheadRecords` limits. */
  #sweep(): void {
    let settled = 0;
    while (isOver(this.#queue[settled])) settled += 1;
    this.#queue.splice(0, settled);
    this.#admit();
  }

  #abort(given: Given): void {
    const inLine = this.#line.indexOf(given);
    if (inLine >= 0) {
      this.#line.splice(inLine, 1);
      given.resolve(given.records.map(() => aborted));
      if (numbersItself(given)) this.#stopLine(inLine);
      return;
    }
    this.#giveUp(
      this.#queue.filter((item) => item.given === given && item.state === 'waiting'),
      aborted,
    );
    this.#sweep();
    this.#wake.abort();
  }

  async #sleep(ms: number): Promise<void> {
    this.#wake = new AbortController();
    await this.#options.clock.sleep(ms, this.#wake.signal);
  }
}

function isOver(item: Queued | undefined): boolean {
  return item?.state === 'settled' || item?.state === 'failed';
}
