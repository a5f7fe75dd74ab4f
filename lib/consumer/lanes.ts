import type { SavedState } from '../leases/saved-state.ts';
import type { Clock } from '../runtime/clock.ts';
import { assert } from '../runtime/errors.ts';
import { backoffMs } from '../runtime/retry.ts';
import { comparePositions, type Position } from '../streams/position.ts';
import type { DeadLetters } from './dead-letters.ts';
import { failureKind, Lost } from './failures.ts';
import { type ConsumerOptions, endlessBackoff } from './options.ts';
import { PoisonPolicy } from './poison.ts';
import type { ShardContext, ShardProcessor, ShardStart, StreamRecord } from './processor.ts';
import { aborted, withEither } from './steps.ts';

export interface LanePorts {
  /** Handles one record. Records of one partition key never overlap and keep their order; others run side by side. */
  readonly eachRecord: (record: StreamRecord, context: ShardContext) => Promise<void>;
  /** Records in work at once. */
  readonly concurrency: number;
  /** Records that were taken from the shard and are not done: what a crash repeats, at most. */
  readonly inFlightMax: number;
  /** Their bytes; they are held outside the consumer's byte budget. */
  readonly inFlightBytesMax: number;
  readonly application: string;
  readonly deadLetters: DeadLetters;
  readonly options: ConsumerOptions;
  readonly clock: Clock;
  readonly random: () => number;
}

interface Entry {
  readonly record: StreamRecord;
  done: boolean;
}

/**
 * A processor that works on several partition keys of one shard at once. The checkpoint follows the longest run of
 * records that are all done, from the last checkpoint on: a slow key holds it back, never the other keys.
 */
export function laneProcessor(ports: LanePorts): ShardProcessor {
  return new Lanes(ports);
}

class Lanes implements ShardProcessor {
  readonly #ports: LanePorts;
  /** In the order of the shard, from the first that is not done. */
  #inFlight: Entry[] = [];
  #bytes = 0;
  /** Per key those that wait behind the one in work; a key without an entry is free. */
  readonly #behind = new Map<string, Entry[]>();
  #ready: Entry[] = [];
  #working = 0;
  #doneUpTo: Position | undefined;
  readonly #policy: PoisonPolicy;
  #failure: { readonly error: unknown } | undefined;
  /** Aborted when the acquisition is over: no try begins after that. */
  readonly #over = new AbortController();
  #changed = new AbortController();

  constructor(ports: LanePorts) {
    assert(ports.concurrency >= 1 && ports.inFlightMax >= 1, 'lanes need at least one record in work');
    this.#ports = ports;
    this.#policy = new PoisonPolicy(ports.application, ports.options);
  }

  async start(start: ShardStart): Promise<void> {
    this.#doneUpTo = start.checkpoint;
  }

  /** Returns when every record has its place in a lane, not when it is done. */
  async process(records: readonly StreamRecord[], context: ShardContext): Promise<void> {
    this.#throwFailure();
    for (const record of records) {
      await this.#until(context.signal, () => this.#hasRoom());
      // A copy: it may be a view of its page, which would be held long after the byte budget has let it go.
      this.#take({ record: { ...record, data: record.data.slice() }, done: false }, context);
    }
  }

  doneUpTo(): Position | undefined {
    return this.#doneUpTo;
  }

  async flush(upTo: Position, context: ShardContext): Promise<SavedState> {
    const behind = (): boolean =>
      this.#inFlight.some(({ record }) => comparePositions(record.position, upTo) <= 0);
    await this.#until(context.signal, () => !behind());
    return {};
  }

  async idle(): Promise<void> {
    this.#throwFailure();
  }

  /** The shard may have a new owner next: waits for the tries that are under way. */
  async stop(reason: 'drained' | 'shard-end' | 'lost'): Promise<void> {
    this.#over.abort();
    while (this.#working > 0 && reason !== 'lost') await aborted(this.#changed.signal);
  }

  #hasRoom(): boolean {
    const { inFlightBytesMax, inFlightMax } = this.#ports;
    if (this.#inFlight.length === 0) return true;
    return this.#inFlight.length < inFlightMax && this.#bytes < inFlightBytesMax;
  }

  #take(entry: Entry, context: ShardContext): void {
    const { data, partitionKey } = entry.record;
    this.#inFlight.push(entry);
    this.#bytes += data.length;
    const behind = this.#behind.get(partitionKey);
    if (behind) {
      behind.push(entry);
      return;
    }
    this.#behind.set(partitionKey, []);
    this.#ready.push(entry);
    this.#work(context);
  }

  /** Starts what may start. Each piece of work ends in #done or in #failed: none is left without an owner. */
  #work(context: ShardContext): void {
    while (this.#working < this.#ports.concurrency && !this.#failure && !this.#isOver(context)) {
      const entry = this.#ready.shift();
      if (entry === undefined) return;
      this.#working += 1;
      this.#handle(entry.record, context).then(
        () => this.#done(entry, context),
        (error: unknown) => this.#fail(error),
      );
    }
  }

  #done(entry: Entry, context: ShardContext): void {
    const { partitionKey } = entry.record;
    entry.done = true;
    this.#working -= 1;
    const next = this.#behind.get(partitionKey)?.shift();
    if (next) this.#ready.push(next);
    else this.#behind.delete(partitionKey);
    const first = this.#inFlight.findIndex(({ done }) => !done);
    for (const { record } of this.#inFlight.splice(0, first < 0 ? this.#inFlight.length : first)) {
      this.#doneUpTo = record.position;
      this.#bytes -= record.data.length;
    }
    this.#change();
    this.#work(context);
  }

  #isOver({ signal }: ShardContext): boolean {
    return signal.aborted || this.#over.signal.aborted;
  }

  #fail(error: unknown): void {
    this.#working -= 1;
    this.#failure ??= { error };
    this.#change();
  }

  #change(): void {
    const changed = this.#changed;
    this.#changed = new AbortController();
    changed.abort();
  }

  /** What stopped a lane stops the shard: told by the next call that the loop makes. */
  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }

  async #until(signal: AbortSignal, reached: () => boolean): Promise<void> {
    for (;;) {
      if (reached()) return;
      if (signal.aborted) throw new Lost();
      this.#throwFailure();
      await withEither([signal, this.#changed.signal], aborted);
    }
  }

  async #handle(record: StreamRecord, context: ShardContext): Promise<void> {
    let tries = 0;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await context.verify();
        await this.#ports.eachRecord(record, context);
        return this.#policy.handled();
      } catch (error) {
        const kind = failureKind(error);
        if (kind === 'final') throw error;
        if (kind === 'record') tries += 1;
        if (tries >= this.#ports.options.tries) return this.#setAside(record, error, tries, context);
      }
      await this.#pause(attempt, context);
    }
  }

  /** The letter must be safe before the record counts as done, so this is tried until it works. */
  async #setAside(record: StreamRecord, error: unknown, tries: number, context: ShardContext): Promise<void> {
    const letter = this.#policy.letterFor(record, error, tries);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await context.verify();
        await this.#ports.deadLetters.put(letter, context.signal);
        return this.#policy.setAside();
      } catch (failed) {
        if (failureKind(failed) === 'final') throw failed;
      }
      await this.#pause(attempt, context);
    }
  }

  async #pause(attempt: number, context: ShardContext): Promise<void> {
    const { clock, options, random } = this.#ports;
    const ms = backoffMs(endlessBackoff(options), attempt, random());
    await withEither([context.signal, this.#over.signal], (signal) => clock.sleep(ms, signal));
    if (this.#isOver(context)) throw new Lost();
  }
}
