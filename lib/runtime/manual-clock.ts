import type { Clock } from './clock.ts';

/** One process's clock on a shared timeline: it can be frozen like a stopped process or a suspended machine. */
export interface ClockView extends Clock {
  /** `stopped`: its monotonic clock goes on (SIGSTOP). `suspended`: that stops as well (a suspended machine). */
  readonly freeze: (how: 'stopped' | 'suspended') => void;
  /** Goes on; everything that fell due meanwhile happens now. */
  readonly thaw: () => void;
  /** Moves the wall clock of this view only. */
  readonly jumpWall: (ms: number) => void;
  readonly frozen: () => boolean;
}

/** A clock that stands still until it is moved by hand; `sleep`s end in the order in which they fall due. */
export interface ManualClock extends ClockView {
  /**
   * Moves time on by `ms`. Stops at each due sleep, ends it, and lets all code that can run without waiting for
   * time run to its next wait, so one history always unfolds the same way. Calls must not overlap.
   */
  readonly advance: (ms: number) => Promise<void>;
  /** Lets all code that can run without waiting for time run to its next wait. */
  readonly settle: () => Promise<void>;
  /** Another process's clock on this timeline. */
  readonly view: () => ClockView;
  /** How many sleeps are waiting, over all views. */
  readonly waiting: () => number;
}

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/** `onStep` is called after each sleep that ended and everything that followed from it. */
export function createManualClock(
  options: { readonly startMs?: number; readonly onStep?: () => void } = {},
): ManualClock {
  const startMs = options.startMs ?? 0;
  const timers: Timer[] = [];
  let elapsedMs = 0;

  const start = (timer: Timer): (() => void) => {
    let at = timers.length;
    // Behind timers of the same time: first come, first served.
    while (at > 0 && (timers[at - 1]?.dueMs ?? 0) > timer.dueMs) at -= 1;
    timers.splice(at, 0, timer);
    return () => {
      const index = timers.indexOf(timer);
      if (index >= 0) timers.splice(index, 1);
    };
  };
  // setImmediate comes after every microtask, so all promises that can settle have settled by then.
  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  const view = (): ClockView => createView({ startMs, elapsed: () => elapsedMs, start });

  const advance = async (ms: number): Promise<void> => {
    const untilMs = elapsedMs + ms;
    await settle();
    for (let next = timers[0]; next !== undefined && next.dueMs <= untilMs; next = timers[0]) {
      timers.shift();
      elapsedMs = Math.max(elapsedMs, next.dueMs);
      next.fire();
      await settle();
      options.onStep?.();
    }
    elapsedMs = untilMs;
  };
  return { ...view(), advance, settle, view, waiting: () => timers.length };
}

interface Timeline {
  readonly startMs: number;
  readonly elapsed: () => number;
  readonly start: (timer: Timer) => () => void;
}

function createView(timeline: Timeline): ClockView {
  let wallOffsetMs = 0;
  let suspendedMs = 0;
  let freeze: { readonly how: 'stopped' | 'suspended'; readonly sinceMs: number } | undefined;
  let held: (() => void)[] = [];

  const stillMs = (): number => (freeze?.how === 'suspended' ? timeline.elapsed() - freeze.sinceMs : 0);
  const monotonic = (): number => timeline.elapsed() - suspendedMs - stillMs();

  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      // Whole milliseconds, as real timers have: else a loop that waits for a rest of 1e-13 ms never gets further.
      const dueMs = monotonic() + Math.ceil(Math.max(0, ms));
      const wait = (): (() => void) =>
        timeline.start({ dueMs: timeline.elapsed() + dueMs - monotonic(), fire });
      const end = (): void => {
        stop();
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const fire = (): void => {
        if (freeze !== undefined) held.push(fire);
        else if (monotonic() < dueMs) stop = wait();
        else end();
      };
      let stop = wait();
      signal?.addEventListener('abort', end, { once: true });
    });

  return {
    now: () => timeline.startMs + timeline.elapsed() + wallOffsetMs,
    monotonic,
    sleep,
    freeze: (how) => {
      freeze ??= { how, sinceMs: timeline.elapsed() };
    },
    thaw: () => {
      suspendedMs += stillMs();
      freeze = undefined;
      const due = held;
      held = [];
      for (const fire of due) timeline.start({ dueMs: timeline.elapsed(), fire });
    },
    jumpWall: (ms) => {
      wallOffsetMs += ms;
    },
    frozen: () => freeze !== undefined,
  };
}
