/** Time as the rest of the code may know it. Pure code takes numbers; loops take a Clock. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. May jump; never used to decide who owns a shard. */
  readonly now: () => number;
  /** Milliseconds on a clock that never goes back. Its zero means nothing. */
  readonly monotonic: () => number;
  /** Resolves after `ms`, or at once when `signal` aborts (it never rejects: the caller looks at the signal). */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};
