import type { HeldLease } from '../leases/held-lease.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { ShardDiagnostic } from './diagnostics.ts';
import { failureKind, failureOf } from './failures.ts';
import type { ConsumerOptions } from './options.ts';
import { PoisonPolicy } from './poison.ts';
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
  readonly #policy: PoisonPolicy;

  constructor(ports: DeliveryPorts) {
    this.#ports = ports;
    this.#policy = new PoisonPolicy(ports.application, ports.options);
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
      if (attempt.type === 'done') this.#policy.handled();
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

  /** The letter must be safe before the position moves, so this is tried until it works, or the drain begins. */
  async #poison(
    record: StreamRecord,
    failed: { readonly error: unknown; readonly tries: number },
  ): Promise<Delivered> {
    const { context, deadLetters, processor, report, steps } = this.#ports;
    const letter = this.#policy.letterFor(record, failed.error, failed.tries);
    const done = await steps.runUntilDrain('dead-letter', async () => {
      await deadLetters.put(letter, context.signal);
      await processor.deadLettered?.(record, context);
    });
    if (done === undefined) return 'interrupted';
    this.#policy.setAside();
    const failure = { code: letter.reason, message: letter.error };
    report({ type: 'record-dead-lettered', position: record.position, failure });
    return 'done';
  }
}
