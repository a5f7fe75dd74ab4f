import type { Clock } from '../runtime/clock.ts';
import type { ReportLeaseEvent } from './diagnostics.ts';
import type { LeaseStore } from './lease-store.ts';
import type { WriteMark } from './lease-writes.ts';
import type { Life } from './pulse.ts';
import type { TimeWatch } from './time-watch.ts';
import type { Timings } from './timings.ts';

/** What every lease of one worker shares. */
export interface WorkerContext {
  readonly worker: string;
  readonly life: Life;
  readonly store: LeaseStore;
  readonly clock: Clock;
  /** In [0, 1). Spreads retries and surveys, and makes nonces. */
  readonly random: () => number;
  readonly timings: Timings;
  readonly watch: TimeWatch;
  readonly report: ReportLeaseEvent;
  /** Aborted once this worker stops. */
  readonly leaving: AbortController;
}

export function newMark({ worker, life, leaving, random }: WorkerContext): WriteMark {
  const nonce = `${random().toString(36).slice(2)}${random().toString(36).slice(2)}`;
  return { worker, incarnation: life.incarnation, nonce, leaving: leaving.signal.aborted };
}

/** When a write was sent, and how many jumps of the clock there had been: what is confirmed is as old as that. */
export interface Sent {
  readonly atMs: number;
  readonly jumps: number;
}

export function sendNow({ clock, watch }: WorkerContext): Sent {
  return { jumps: watch.jumps(), atMs: clock.monotonic() };
}
