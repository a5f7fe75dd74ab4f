import type { WorkerMetrics } from './worker-metrics.ts';

/** KCL takes metrics for stale after two of its intervals of 30 s. */
export const metricsStaleMs = 60_000;

interface Entry {
  readonly metrics: WorkerMetrics;
  /** When this `lut` was first seen, on the observer's monotonic clock; long ago where it was stale at first sight. */
  readonly changedAtMs: number;
}

/**
 * The workers that publish metrics as KCL 3 does, and which of them are alive. Only at first sight does the wall clock
 * of the other machine matter: then an old entry counts as dead until it changes.
 */
export class Roster {
  readonly #entries = new Map<string, Entry>();

  see(metrics: WorkerMetrics, nowMs: number, wallMs: number): void {
    const { worker, updatedAtSeconds } = metrics;
    const before = this.#entries.get(worker);
    if (before?.metrics.updatedAtSeconds === updatedAtSeconds) return;
    const old = before === undefined && wallMs - updatedAtSeconds * 1_000 > metricsStaleMs;
    this.#entries.set(worker, { metrics, changedAtMs: old ? Number.NEGATIVE_INFINITY : nowMs });
  }

  /** A live Java worker of KCL 3: it measures its leases, and finishes and hands over when it is asked to. */
  isJava(worker: string | undefined, nowMs: number): boolean {
    const entry = worker === undefined ? undefined : this.#entries.get(worker);
    return entry !== undefined && !entry.metrics.ours && nowMs - entry.changedAtMs < metricsStaleMs;
  }
}
