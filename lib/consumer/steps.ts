import type { Clock } from '../runtime/clock.ts';
import { backoffMs } from '../runtime/retry.ts';
import type { ShardDiagnostic } from './diagnostics.ts';
import { failureKind, failureOf, Lost, saysLost } from './failures.ts';
import { endlessBackoff, type ConsumerOptions } from './options.ts';

export interface StepPorts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly options: ConsumerOptions;
  readonly drain: AbortSignal;
  readonly lost: AbortSignal;
  /** See HeldLease.verify. */
  readonly verify: () => Promise<void>;
  readonly report: (diagnostic: ShardDiagnostic) => void;
}

/** One acquisition's calls to the outside: none begins without the lease or outlives it, failed ones are repeated. */
export class Steps {
  readonly #ports: StepPorts;

  constructor(ports: StepPorts) {
    this.#ports = ports;
  }

  /** Rejects with Lost as soon as the lease is lost, even if the call hangs. */
  guard<T>(call: Promise<T>): Promise<T> {
    const { lost } = this.#ports;
    // A listener that is taken away again, and not a race with one long-lived promise, which would keep every call.
    return new Promise((resolve, reject) => {
      const onLost = (): void => reject(new Lost());
      if (lost.aborted) onLost();
      lost.addEventListener('abort', onLost, { once: true });
      call
        .then(resolve, (error: unknown) => reject(saysLost(error) ? new Lost() : error))
        .finally(() => lost.removeEventListener('abort', onLost));
    });
  }

  /** Repeats a step until it works: what it does is needed before anything else may happen. */
  async run<T>(step: string, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const done = await this.#once(step, attempt, work);
      if (done) return done.value;
      await this.pause(attempt);
    }
  }

  /** Repeats a step until it works, or until the drain begins: then undefined. */
  async runUntilDrain<T>(step: string, work: () => Promise<T>): Promise<{ readonly value: T } | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      const done = await this.#once(step, attempt, work);
      if (done || this.#ports.drain.aborted) return done;
      await this.pause(attempt);
      if (this.#ports.drain.aborted) return undefined;
    }
  }

  async #once<T>(
    step: string,
    attempt: number,
    work: () => Promise<T>,
  ): Promise<{ readonly value: T } | undefined> {
    try {
      return { value: await this.guard(this.#ports.verify().then(work)) };
    } catch (error) {
      if (failureKind(error) === 'final') throw error;
      this.#ports.report({ type: 'step-failed', step, attempt, failure: failureOf(error, `${step}-failed`) });
      return undefined;
    }
  }

  /** The wait before the next attempt; cut short when the drain begins. Rejects with Lost. */
  async pause(attempt: number): Promise<void> {
    const { clock, drain, lost, options, random } = this.#ports;
    const ms = backoffMs(endlessBackoff(options), attempt, random());
    const signals = drain.aborted ? [lost] : [drain, lost];
    await this.guard(withEither(signals, (signal) => clock.sleep(ms, signal)));
  }
}

/**
 * Gives `work` a signal that aborts with any of `signals`, and in any case when the work is over: waits inside it end,
 * and nothing is left behind on long-lived signals, as AbortSignal.any would.
 */
export async function withEither<T>(
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const either = new AbortController();
  const abort = (): void => either.abort();
  for (const signal of signals) {
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  }
  try {
    return await work(either.signal);
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', abort);
    abort();
  }
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
