import type { Clock } from '../runtime/clock.ts';

/** Wakes a loop before its time. A ring while nobody waits is kept for the next wait. */
export interface Bell {
  readonly ring: () => void;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export function createBell(clock: Clock): Bell {
  let rung = new AbortController();
  return {
    ring: () => rung.abort(),
    wait: async (ms, signal) => {
      await clock.sleep(ms, AbortSignal.any([rung.signal, signal]));
      rung = new AbortController();
    },
  };
}
