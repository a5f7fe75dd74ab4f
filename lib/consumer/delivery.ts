import type { HeldLease } from '../leases/held-lease.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { ShardDiagnostic } from './diagnostics.ts';
import { failureKind, failureOf, type Failure, ShardStopped } from './failures.ts';
import type { ConsumerOptions } from './options.ts';
import type { ShardContext, ShardProcessor, StreamRecord } from './processor.ts';
import type { Steps } from './steps.ts';

export interface DeliveryPorts {
  readonly application: string;
  readonly options: ConsumerOptions;
  readonly deadLetters: DeadLetters;
  readonly processor: ShardProcessor;
  readonly context: ShardContext;
  readonly lease: Pick<HeldLease, 'drain' | 'verify'>;
  readonly steps: Steps;
  readonly report: (diagnostic: ShardDiagnostic) => void;
  /** Everything up to this record is handled. */
  readonly advance: (upTo: StreamRecord) => void;
}

/** `interrupted`: the drain began while a part of the batch kept failing; that part is left to the next owner. */
export type Delivered = 'done' | 'interrupted';

type Attempt =
  | { readonly type: 'done' }
  | { readonly type: 'interrupted' }
  | { readonly type: 'failed'; readonly error: unknown; readonly tries: number };

/**
 * Gives batches to the processor in order. A batch that fails is retried with backoff, then halved down to the
 * record that is to blame, which becomes a dead letter (or stops the shard). Nothing is ever skipped otherwise.
 */
export class Delivery {
  readonly #ports: DeliveryPorts;
  #deadLettersInRow = 0;

  constructor(ports: DeliveryPorts) {
    this.#ports = ports;
  }

  async deliver(batch: readonly StreamRecord[]): Promise<Delivered> {
    const { advance, options, report } = this.#ports;
    const pieces: (readonly StreamRecord[])[] = [batch];
    for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
      const [first] = piece;
      const last = piece.at(-1);
      if (first === undefined || last === undefined) continue;
      // The whole batch has had its tries; its parts only show where the poison is.
      const tries = piece === batch || piece.length === 1 ? options.tries : 1;
      const attempt = await this.#attempt(piece, first, tries);
      if (attempt.type === 'interrupted') return 'interrupted';
      if (attempt.type === 'failed' && piece.length > 1) {
        report({ type: 'batch-halved', first: first.position, records: piece.length });
        const middle = Math.ceil(piece.length / 2);
        pieces.push(piece.slice(middle), piece.slice(0, middle));
        continue;
      }
      if (attempt.type === 'done') this.#deadLettersInRow = 0;
      else if ((await this.#poison(first, attempt)) === 'interrupted') return 'interrupted';
      advance(last);
    }
    return 'done';
  }

  async #attempt(piece: readonly StreamRecord[], first: StreamRecord, triesMax: number): Promise<Attempt> {
    const { context, lease, processor, report, steps } = this.#ports;
    const { drain } = lease;
    let tries = 0;
    for (let attempt = 1; ; attempt += 1) {
      await steps.run('verify', lease.verify);
      try {
        await steps.guard(processor.process(piece, context));
        return { type: 'done' };
      } catch (error) {
        const kind = failureKind(error);
        if (kind === 'final') throw error;
        if (kind === 'record') tries += 1;
        if (tries >= triesMax) return { type: 'failed', error, tries };
        const failure = failureOf(error, 'handler-failed');
        const outage = kind === 'outage';
        report({
          type: 'batch-retried',
          first: first.position,
          records: piece.length,
          attempt,
          outage,
          failure,
        });
      }
      if (!drain.aborted) await steps.pause(attempt);
      if (drain.aborted) return { type: 'interrupted' };
    }
  }

  async #poison(
    record: StreamRecord,
    failed: { readonly error: unknown; readonly tries: number },
  ): Promise<Delivered> {
    const { options, report } = this.#ports;
    const { position, shardId, stream } = record;
    const failure = failureOf(failed.error, 'handler-failed');
    const where = `${stream}/${shardId} at ${position.sequenceNumber}.${position.subSequenceNumber}`;
    if (options.poison === 'stop-shard') {
      const message = `The record of ${where} cannot be handled: ${failure.message}`;
      throw new ShardStopped('poison-record', message, { cause: failed.error });
    }
    if (this.#deadLettersInRow >= options.deadLettersInRowMax) {
      const message = `More than ${options.deadLettersInRowMax} records in a row failed, up to ${where}: ${failure.message}`;
      throw new ShardStopped('dead-letter-limit', message, { cause: failed.error });
    }
    if (!(await this.#setAside(record, failure, failed.tries))) return 'interrupted';
    this.#deadLettersInRow += 1;
    report({ type: 'record-dead-lettered', position, failure });
    return 'done';
  }

  /** The letter must be safe before the position moves, so this is tried until it works. False: the drain began. */
  async #setAside(record: StreamRecord, failure: Failure, tries: number): Promise<boolean> {
    const { application, context, deadLetters, processor, steps } = this.#ports;
    const { arrivedAtMs, data, partitionKey, position, shardId, stream } = record;
    const about = { consumer: application, stream, shardId, ...position, partitionKey, arrivedAtMs };
    const letter = { ...about, data, reason: failure.code, error: failure.message, tries };
    const done = await steps.runUntilDrain('dead-letter', async () => {
      await deadLetters.put(letter, context.signal);
      await processor.deadLettered?.(record, context);
    });
    return done !== undefined;
  }
}
