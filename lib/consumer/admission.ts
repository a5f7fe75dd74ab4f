import type { Clock } from '../runtime/clock.ts';
import type { BudgetShare, Grant } from './byte-budget.ts';

/** Pays for the pages of one subscription: when the head of one is there, and before the rest is taken from the wire. */
export class Admission {
  readonly #share: BudgetShare;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #grant: Grant | undefined;
  #isWaiting = false;
  #cameMs: number | undefined;

  constructor(share: BudgetShare, clock: Clock, signal: AbortSignal) {
    this.#share = share;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** A page is there, and waits for the budget. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** For Kinesis.subscribe. */
  readonly room = async (bytes: number): Promise<void> => {
    // What is no page, an event that opens the stream, was paid for and is claimed by nobody.
    this.release();
    this.#cameMs = this.#clock.monotonic();
    this.#isWaiting = true;
    const grant = await this.#share.reserve(bytes, this.#signal);
    this.#isWaiting = false;
    if (this.#signal.aborted) grant?.release();
    else this.#grant = grant;
  };

  /** When the page that just came began to come (monotonic), and what pays for it; undefined after an abort. */
  async claim(bytes: number): Promise<{ readonly cameMs: number; readonly grant: Grant } | undefined> {
    const cameMs = this.#cameMs ?? this.#clock.monotonic();
    const grant = this.#grant ?? (await this.#share.reserve(bytes, this.#signal));
    this.#cameMs = undefined;
    this.#grant = undefined;
    return grant && { cameMs, grant };
  }

  release(): void {
    this.#grant?.release();
    this.#grant = undefined;
  }
}
