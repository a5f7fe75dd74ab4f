import type { WorkerContext } from '../worker-context.ts';
import { metricsStaleMs, type WorkerMetrics } from './worker-metrics.ts';

/** A quarter of the age at which metrics count as stale: a little more, and live workers begin to look dead. */
const skewMs = metricsStaleMs / 4;

/** Java's leader deletes what is older. Source: staleWorkerMetricsEntryCleanupDuration (3.5). */
const abandonedMs = 86_400_000;

interface Entry {
  readonly metrics: WorkerMetrics;
  /** When this `lut` was first seen, on the observer's monotonic clock; long ago where it was stale at first sight. */
  readonly changedAtMs: number;
  /** When it was last read, on the observer's wall clock. */
  readonly readAtWallMs: number;
}

/**
 * The workers that publish metrics as KCL 3 does, and which of them are alive. The wall clock of the other machine
 * matters at first sight only: then an old entry counts as dead until it changes. Java's leader compares wall clocks
 * each time, so a difference is reported.
 */
export class Roster {
  readonly #context: Pick<WorkerContext, 'clock' | 'report' | 'worker'>;
  readonly #entries = new Map<string, Entry>();
  readonly #skewed = new Set<string>();

  constructor(context: Pick<WorkerContext, 'clock' | 'report' | 'worker'>) {
    this.#context = context;
  }

  see(metrics: WorkerMetrics): void {
    const { updatedAtSeconds, worker } = metrics;
    const [nowMs, wallMs] = [this.#context.clock.monotonic(), this.#context.clock.now()];
    const before = this.#entries.get(worker);
    const same = before?.metrics.updatedAtSeconds === updatedAtSeconds;
    const stale = before === undefined && wallMs - updatedAtSeconds * 1_000 > metricsStaleMs;
    const changedAtMs = same ? before.changedAtMs : stale ? Number.NEGATIVE_INFINITY : nowMs;
    this.#entries.set(worker, { metrics, changedAtMs, readAtWallMs: wallMs });
    if (!same) this.#compareClocks(metrics, wallMs, before);
  }

  /** A live Java worker of KCL 3: it measures its leases, and finishes and hands over when it is asked to. */
  isJava(worker: string | undefined): boolean {
    const entry = worker === undefined ? undefined : this.#entries.get(worker);
    if (entry === undefined || entry.metrics.ours) return false;
    return this.#context.clock.monotonic() - entry.changedAtMs < metricsStaleMs;
  }

  isOurs(worker: string): boolean {
    return this.#entries.get(worker)?.metrics.ours === true;
  }

  /** All Java workers of KCL 3 that are alive. */
  java(): readonly string[] {
    return [...this.#entries.keys()].filter((worker) => this.isJava(worker));
  }

  /** Who has published nothing for so long that even a wall clock that is far off does not explain it. */
  abandoned(): readonly string[] {
    const wallMs = this.#context.clock.now();
    return [...this.#entries].flatMap(([worker, { changedAtMs, metrics }]) => {
      const old = wallMs - metrics.updatedAtSeconds * 1_000 > abandonedMs;
      const quiet = this.#context.clock.monotonic() - changedAtMs >= metricsStaleMs;
      return old && quiet && worker !== this.#context.worker ? [worker] : [];
    });
  }

  forget(worker: string): void {
    this.#entries.delete(worker);
  }

  /** By how much at least the other's clock differs: it wrote after our last look, and before this one. */
  #compareClocks(
    { updatedAtSeconds, worker }: WorkerMetrics,
    wallMs: number,
    before: Entry | undefined,
  ): void {
    if (worker === this.#context.worker) return;
    const ahead = Math.max(0, updatedAtSeconds * 1_000 - wallMs);
    // `lut` is rounded down to the second.
    const behind =
      before === undefined ? 0 : Math.max(0, before.readAtWallMs - updatedAtSeconds * 1_000 - 1_000);
    const byMs = ahead - behind;
    if (Math.abs(byMs) <= skewMs) this.#skewed.delete(worker);
    else if (!this.#skewed.has(worker)) {
      this.#skewed.add(worker);
      this.#context.report({ type: 'clock-skew', worker, byMs });
    }
  }
}
