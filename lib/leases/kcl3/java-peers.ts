import type { Seen } from '../fleet-view.ts';
import type { Item } from '../lease-item.ts';
import { actualOwner } from '../lease.ts';
import type { WorkerContext } from '../worker-context.ts';
import { metricsEntity } from './kcl-tables.ts';
import { Roster } from './roster.ts';
import { parseWorkerMetrics } from './worker-metrics.ts';

/** What the lease table tells of the Java workers of a KCL 3 fleet: who they are, and who of them lives. */
export class JavaPeers {
  readonly roster: Roster;
  /** Those that have let a lease expire and have not been seen to write since. */
  readonly #silent = new Set<string>();
  /** By entity type: what was last seen of how the fleet stands. */
  readonly #states = new Map<string, unknown>();
  readonly #onState: () => void;

  /** `onState`: the fleet has another version, its leader has renewed its lock, or a worker came or fell silent. */
  constructor(context: WorkerContext, onState: () => void) {
    this.roster = new Roster(context);
    this.#onState = onState;
  }

  /** Also those that have no lease. */
  living(): readonly string[] {
    return this.roster.java().filter((worker) => !this.isSilent(worker));
  }

  isSilent(worker: string | undefined): boolean {
    return worker !== undefined && this.#silent.has(worker);
  }

  readItem(entityType: string, item: Item): void {
    const metrics = entityType === metricsEntity ? parseWorkerMetrics('lease-table', item) : undefined;
    if (metrics !== undefined) {
      const before = this.roster.isJava(metrics.worker);
      this.roster.see(metrics);
      if (this.roster.isJava(metrics.worker) !== before) this.#onState();
    }
    // What the fleet's rules follow from: its version, and that its leader lives.
    const state = entityType === 'CLIENT_VERSION_MIGRATION' ? item.cv : item.recordVersionNumber;
    if (state === undefined || state === this.#states.get(entityType)) return;
    this.#states.set(entityType, state);
    this.#onState();
  }

  /** A lease of a Java worker was read. `expired`: as far as was seen; `wrote`: since it was read last. */
  readLease({ changedAtMs, lease, ownerSinceMs }: Seen, expired: boolean, wrote: boolean): void {
    const worker = actualOwner(lease);
    if (worker === undefined) return;
    // What a leader gave it may lie for longer than that before it takes it up.
    const fell = expired && changedAtMs > ownerSinceMs && !this.#silent.has(worker);
    const rose = wrote && this.#silent.has(worker);
    if (fell) this.#silent.add(worker);
    if (rose) this.#silent.delete(worker);
    if (fell || rose) this.#onState();
  }
}
