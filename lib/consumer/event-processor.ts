import { attribute, type Event } from '../event/event.ts';
import type { SavedState, SavedValue } from '../leases/saved-state.ts';
import type { Clock } from '../runtime/clock.ts';
import { assert, PlatformError } from '../runtime/errors.ts';
import type { Position } from '../streams/position.ts';
import { parseStamp } from '../streams/stamp.ts';
import { StampReader, type Verdict } from '../streams/stamp-reader.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { EventHandler, EventRecord, Ledger, Tally } from './events.ts';
import { ShardStopped } from './failures.ts';
import { consumerDefaults } from './options.ts';
import type { ShardContext, ShardProcessor, ShardStart, StreamRecord } from './processor.ts';
import { TallyBook } from './tally.ts';

/** Outcomes that the frame itself gives; the handler gives its own. */
export const outcome = { repeat: 'repeat', early: 'early', deadLettered: 'dead-lettered' } as const;

export interface EventProcessorPorts {
  /** The name under which dead letters and ledger entries are kept. */
  readonly consumer: string;
  readonly handler: EventHandler;
  /** Throws or rejects with a PlatformError of code `undecodable` for bytes that are no event. */
  readonly decode: (data: Uint8Array) => Event | Promise<Event>;
  readonly deadLetters: DeadLetters;
  readonly ledger?: Ledger;
  readonly clock: Clock;
  /** Undecodable records in a row that stop the shard. */
  readonly deadLettersInRowMax?: number;
  /** Told of each outcome once the handler has accepted its batch; a batch that is tried again counts once. */
  readonly onOutcome?: (outcome: string) => void;
}

/** A batch after decoding: what the handler gets, and what becomes of the rest. */
interface Sorted {
  readonly fresh: readonly EventRecord[];
  readonly undecodable: readonly { readonly record: StreamRecord; readonly error: PlatformError }[];
  /** Undecodable records at the end of the batch, with those before the batch if nothing else came. */
  readonly inRow: number;
  readonly stamps: StampReader;
  readonly book: TallyBook;
}

const hourMs = 3_600_000;

/** The frame around an EventHandler (see events.ts): decode, drop what stamps prove not to count, keep the tally. */
export function eventProcessor(ports: EventProcessorPorts): ShardProcessor {
  return new EventProcessor(ports);
}

class EventProcessor implements ShardProcessor {
  readonly #ports: EventProcessorPorts;
  #book = new TallyBook();
  #stamps = StampReader.load(undefined);
  #inRow = 0;
  #ended = false;
  #flushed: Tally = {};
  #ledgerHour = 0;

  constructor(ports: EventProcessorPorts) {
    this.#ports = ports;
  }

  async start(start: ShardStart, context: ShardContext): Promise<void> {
    const { clock, handler } = this.#ports;
    const hour = start.state?.['ledgerHour'];
    this.#book = TallyBook.load(start.state?.['tally']);
    this.#stamps = stampsOf(start);
    this.#ledgerHour = typeof hour === 'number' ? hour : Math.floor(clock.now() / hourMs);
    const parents = start.parents.map(({ shardId, state }) => ({ shardId, state: handlerState(state) }));
    await handler.start({ ...start, state: handlerState(start.state), parents }, context);
  }

  /** Nothing changes before the handler has accepted the batch: a throw leaves all as it was. */
  async process(records: readonly StreamRecord[], context: ShardContext): Promise<void> {
    const sorted = await this.#sort(records);
    for (const { error, record } of sorted.undecodable) await this.#setAside(record, error, context);
    const outcomes = sorted.fresh.length > 0 ? await this.#ports.handler.handle(sorted.fresh, context) : [];
    assert(
      outcomes.length === sorted.fresh.length,
      `${this.#ports.consumer} gave ${outcomes.length} outcomes for ${sorted.fresh.length} events`,
    );
    for (const [at, { event }] of sorted.fresh.entries()) {
      const given = outcomes[at];
      if (given === undefined) continue;
      sorted.book.add(given, event.id);
      this.#ports.onOutcome?.(given);
    }
    this.#book.absorb(sorted.book);
    this.#stamps = sorted.stamps;
    this.#inRow = sorted.inRow;
  }

  async deadLettered(record: StreamRecord): Promise<void> {
    const event = await this.#ports.decode(record.data);
    judge(this.#stamps, event, record);
    this.#book.add(outcome.deadLettered, event.id);
  }

  async flush(upTo: Position, context: ShardContext): Promise<SavedState> {
    const handler = await this.#ports.handler.flush(upTo, context);
    this.#flushed = this.#book.save();
    if (this.#ended) await this.#enter('SHARD_END', context);
    return { tally: this.#flushed, dedupe: this.#stamps.save(), ledgerHour: this.#ledgerHour, handler };
  }

  /** The ledger: once an hour, and only what a checkpoint has made true. */
  async checkpointed(upTo: Position, context: ShardContext): Promise<void> {
    await this.#ports.handler.checkpointed?.(upTo, context);
    const hour = Math.floor(this.#ports.clock.now() / hourMs);
    if (hour <= this.#ledgerHour) return;
    await this.#enter(upTo, context);
    this.#ledgerHour = hour;
  }

  wantsCheckpoint(): boolean {
    return this.#ports.handler.wantsCheckpoint?.() ?? false;
  }

  async idle(nowMs: number, context: ShardContext): Promise<void> {
    await this.#ports.handler.idle?.(nowMs, context);
  }

  async shardEnd(context: ShardContext): Promise<void> {
    await this.#ports.handler.shardEnd?.(context);
    this.#ended = true;
  }

  async stop(reason: 'drained' | 'shard-end' | 'lost'): Promise<void> {
    await this.#ports.handler.stop?.(reason);
  }

  async #sort(records: readonly StreamRecord[]): Promise<Sorted> {
    const stamps = this.#stamps.clone();
    const book = new TallyBook();
    const fresh: EventRecord[] = [];
    const undecodable: { record: StreamRecord; error: PlatformError }[] = [];
    let inRow = this.#inRow;
    for (const record of records) {
      const decoded = await this.#decode(record);
      if (decoded instanceof PlatformError) {
        inRow += 1;
        this.#checkLimit(inRow, record, decoded);
        undecodable.push({ record, error: decoded });
        book.add(outcome.deadLettered, recordName(record));
        stamps.missed(record.arrivedAtMs);
        continue;
      }
      inRow = 0;
      const verdict = judge(stamps, decoded, record);
      if (verdict === 'new') fresh.push({ event: decoded, record });
      else book.add(outcome[verdict], decoded.id);
    }
    return { fresh, undecodable, inRow, stamps, book };
  }

  async #decode(record: StreamRecord): Promise<Event | PlatformError> {
    try {
      return await this.#ports.decode(record.data);
    } catch (error) {
      if (error instanceof PlatformError && error.code === 'undecodable') return error;
      throw error;
    }
  }

  #checkLimit(inRow: number, record: StreamRecord, error: PlatformError): void {
    const max = this.#ports.deadLettersInRowMax ?? consumerDefaults.deadLettersInRowMax;
    if (inRow <= max) return;
    const message = `More than ${max} records in a row are no events, up to ${recordName(record)}: ${error.message}`;
    throw new ShardStopped('dead-letter-limit', message, { cause: error });
  }

  async #setAside(record: StreamRecord, error: PlatformError, context: ShardContext): Promise<void> {
    const { arrivedAtMs, data, partitionKey, position, shardId, stream } = record;
    const about = { consumer: this.#ports.consumer, stream, shardId, ...position, partitionKey, arrivedAtMs };
    const letter = { ...about, data, reason: error.code, error: error.message, tries: 1 };
    await this.#ports.deadLetters.put(letter, context.signal);
  }

  async #enter(upTo: Position | 'SHARD_END', context: ShardContext): Promise<void> {
    const { clock, consumer, ledger } = this.#ports;
    const { fence, shardId, signal, stream } = context;
    const entry = { consumer, stream, shardId, upTo, tally: this.#flushed, atMs: clock.now(), fence };
    await ledger?.put(entry, signal);
  }
}

/** Records it, too. An event without a stamp is always new: others write to streams as well. */
function judge(stamps: StampReader, event: Event, record: StreamRecord): Verdict {
  const text = event.attributes[attribute.stamp];
  const stamp = text === undefined ? undefined : parseStamp(text);
  return stamp === undefined ? 'new' : stamps.judge(stamp, record.arrivedAtMs);
}

/** A writer's retry may land in a child of the shard that its first try went to. */
function stampsOf(start: ShardStart): StampReader {
  const saved = bytesOf(start.state?.['dedupe']);
  if (saved) return StampReader.load(saved);
  const stamps = StampReader.load(undefined);
  const isUnread = start.state === undefined && start.checkpoint === undefined;
  const parents = isUnread ? start.parents : [];
  const known = parents.flatMap(({ state }) => bytesOf(state?.['dedupe']) ?? []);
  // A shard without parents begins wherever the consumer was told to, a trimmed one in the middle.
  if (known.length === 0 || known.length < parents.length) stamps.missed();
  for (const bytes of known) stamps.merge(StampReader.load(bytes));
  return stamps;
}

function bytesOf(value: SavedValue | undefined): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

function handlerState(state: SavedState | undefined): SavedState | undefined {
  const handler = state?.['handler'];
  const isState = typeof handler === 'object' && !(handler instanceof Uint8Array) && !Array.isArray(handler);
  return isState ? (handler as SavedState) : undefined;
}

/** Stands in for the event id of bytes that have none. */
function recordName({ position, shardId, stream }: StreamRecord): string {
  return `${stream}/${shardId}/${position.sequenceNumber}/${position.subSequenceNumber}`;
}
