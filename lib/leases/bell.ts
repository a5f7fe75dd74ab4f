import type { Clock } from '../runtime/clock.ts';

/** Wakes a loop before its time. A ring while nobody waits is kept for the next wait. */
export interface Bell {
  readonly ring: () => void;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export function createBell(clock: Clock): Bell {
  let rung = false;
  let wake = (): void => {};
  return {
    ring: () => {
      rung = true;
      wake();
    },
    // One controller per wait: AbortSignal.any leaves a trace in a long-lived signal each time.
    wait: async (ms, signal) => {
      const woken = new AbortController();
      wake = () => woken.abort();
      signal.addEventListener('abort', wake, { once: true });
      if (rung || signal.aborted) wake();
      await clock.sleep(ms, woken.signal);
      signal.removeEventListener('abort', wake);
      rung = false;
    },
  };
}
