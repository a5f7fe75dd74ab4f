import type { Clock } from '../runtime/clock.ts';

/** Notices that the machine was suspended: its monotonic clock stood still while the wall clock went on. */
export interface TimeWatch {
  /** How many jumps there have been so far. Cheap; to be asked before anything that relies on a deadline. */
  readonly jumps: () => number;
}

/** A step of the wall clock looks the same and is treated the same: leases are verified, nothing more. */
export function createTimeWatch(
  clock: Clock,
  toleranceMs: number,
  onJump: (byMs: number) => void,
): TimeWatch {
  let offsetMs = clock.now() - clock.monotonic();
  let jumps = 0;
  return {
    jumps: () => {
      const byMs = clock.now() - clock.monotonic() - offsetMs;
      if (Math.abs(byMs) > toleranceMs) {
        offsetMs += byMs;
        jumps += 1;
        onJump(byMs);
      }
      return jumps;
    },
  };
}
