import type { Clock } from './clock.ts';

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Tries in all, the first one included. */
  readonly tries: number;
}

/** Full-jitter exponential delay before try `attempt` (1 = the first retry). `random` is in [0, 1). */
export function backoffMs(backoff: Backoff, attempt: number, random: number): number {
  const ceiling = Math.min(backoff.maxMs, backoff.firstMs * 2 ** (attempt - 1));
  return Math.ceil(ceiling * (0.5 + random / 2));
}

/**
 * Runs `work` until it succeeds, throws something that `retryable` refuses, or the tries are used up
 * (then the last error is thrown). Stops early, with the last error, when `signal` aborts.
 */
export async function retry<T>(
  work: (attempt: number) => Promise<T>,
  options: {
    readonly backoff: Backoff;
    readonly retryable: (error: unknown) => boolean;
    readonly clock: Clock;
    readonly random?: () => number;
    readonly signal?: AbortSignal;
  },
): Promise<T> {
  const random = options.random ?? Math.random;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      const last = attempt >= options.backoff.tries || options.signal?.aborted === true;
      if (last || !options.retryable(error)) throw error;
      await options.clock.sleep(backoffMs(options.backoff, attempt, random()), options.signal);
      if (options.signal?.aborted) throw error;
    }
  }
}
