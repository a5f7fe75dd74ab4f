import { systemClock } from '../../lib/runtime/clock.ts';
import { nameOf, PlatformError } from '../../lib/runtime/errors.ts';

/** One thing that is being made, with its name for a message. */
export interface Step {
  readonly what: string;
  readonly done: Promise<unknown>;
}

/** Stand-ins become active within milliseconds; this only bounds the wait for one that never does. */
const activeWithinMs = 15_000;
const activeCheckMs = 20;

/** True when `made` made something, false when it failed with `alreadyThere`. */
export async function unlessThere(alreadyThere: string, made: Promise<unknown>): Promise<boolean> {
  try {
    await made;
    return true;
  } catch (error) {
    if (nameOf(error) === alreadyThere) return false;
    throw error;
  }
}

/** Resolves once `status` is ACTIVE. @throws PlatformError `seed` when it is not in time */
export async function untilActive(
  status: () => Promise<string | undefined>,
  signal: AbortSignal,
): Promise<void> {
  const deadline = systemClock.monotonic() + activeWithinMs;
  for (;;) {
    const now = await status();
    if (now === 'ACTIVE') return;
    signal.throwIfAborted();
    if (systemClock.monotonic() > deadline) {
      throw new PlatformError('seed', `is still ${now} after ${activeWithinMs} ms`, { retryable: true });
    }
    await systemClock.sleep(activeCheckMs, signal);
  }
}
