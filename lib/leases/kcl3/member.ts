import type { WorkerContext } from '../worker-context.ts';
import type { Item } from '../lease-item.ts';
import {
  type Compat,
  fleetMode,
  type FleetMode,
  type FleetState,
  lockPlace,
  metricsPlace,
  parseLeaderLock,
  publishesMetrics,
} from './fleet-mode.ts';
import type { KclTables, Place } from './kcl-tables.ts';
import { LockWatch } from './lock-watch.ts';
import type { Roster } from './roster.ts';
import { formatWorkerMetrics, metricsMs, parseWorkerMetrics } from './worker-metrics.ts';

export interface MemberOptions {
  readonly compat: Compat;
  /** Needed for `kcl3` and `auto`. */
  readonly tables: KclTables | undefined;
  readonly roster: Roster;
  /** Whether a Java worker publishes metrics, and renews what it holds. */
  readonly lives: (worker: string) => boolean;
  /** Whether a live worker that is not ours was seen: it may be a KCL 2, which cannot read a table with other items. */
  readonly withJava: () => boolean;
}

/** Java looks so often whether its fleet has begun to change. */
const quietLookMs = 60_000;

/** This worker as a member of a fleet with Java's: knows by which rules it lives, and publishes what they ask for. */
export class Member {
  readonly #context: WorkerContext;
  readonly #options: MemberOptions;
  readonly #watch = new LockWatch();
  #mode: FleetMode;
  #clientVersion: string | undefined;
  #place: Place | undefined;

  constructor(context: WorkerContext, options: MemberOptions) {
    this.#context = context;
    this.#options = options;
    this.#mode = options.compat === 'kcl2' ? 'kcl2' : 'native';
  }

  get mode(): FleetMode {
    return this.#mode;
  }

  /** False where nothing that the tables say changes the rules. */
  get follows(): boolean {
    const { compat, tables } = this.#options;
    return tables !== undefined && (compat === 'auto' || compat === 'kcl3');
  }

  /** How often to look. */
  lookMs(): number {
    return publishesMetrics(this.#mode) ? metricsMs : quietLookMs;
  }

  /** Reads how the fleet stands, and publishes metrics if it wants them. True if the rules have changed. */
  async look(): Promise<boolean> {
    const { compat, tables } = this.#options;
    if (tables === undefined || !this.follows) return false;
    const state = await this.#state(tables);
    const from = this.#mode;
    const { clientVersion } = state;
    this.#mode = fleetMode(compat, state);
    const changed = this.#mode !== from || clientVersion !== this.#clientVersion;
    if (changed) this.#context.report({ type: 'compat-mode-changed', from, to: this.#mode, clientVersion });
    this.#clientVersion = clientVersion;
    await this.#publish(tables, publishesMetrics(this.#mode) ? state.place : undefined);
    if (this.#mode === 'kcl3-leaderless') await this.#tidy(tables);
    return changed;
  }

  /** Whoever stops says so before it gives its leases away: a leader gives none to a worker without metrics. */
  async withdraw(): Promise<void> {
    const place = this.#place;
    this.#place = undefined;
    if (place !== undefined) await this.#options.tables?.withdraw(place, this.#context.worker);
  }

  async #publish(tables: KclTables, place: Place | undefined): Promise<void> {
    const { clock, leaving, worker } = this.#context;
    if (this.#place !== place) await this.withdraw();
    if (place === undefined || leaving.signal.aborted) return;
    this.#place = place;
    await tables.publish(place, worker, formatWorkerMetrics(place, worker, clock.now()));
  }

  /** As Java's leader would. Random worker ids would fill the table otherwise; a living worker writes its own anew. */
  async #tidy(tables: KclTables): Promise<void> {
    const place = this.#place;
    if (place === undefined) return;
    for (const worker of this.#options.roster.abandoned()) {
      await tables.withdraw(place, worker);
      this.#options.roster.forget(worker);
    }
  }

  async #state(tables: KclTables): Promise<FleetState> {
    const moving = await tables.state('legacy-tables', 'TableMigration3.5');
    const legacyThere = moving !== 'no-table';
    const tm = moving === 'no-table' ? undefined : moving?.tm;
    const migration = await this.#migration(tables, lockPlace(legacyThere, tm));
    const lock = await item(tables.state(lockPlace(legacyThere, tm), 'Leader'));
    const found = migration !== undefined || lock !== undefined;
    const place = found ? metricsPlace(legacyThere, tm) : this.#firstPlace();
    const led = await this.#isLed(tables, place, lock);
    const clientVersion = typeof migration?.cv === 'string' ? migration.cv : undefined;
    return { clientVersion, led, place };
  }

  /** Until all has moved, the old place counts. Source: CoordinatorStateDAO (3.5). */
  async #migration(tables: KclTables, first: Place): Promise<Item | undefined> {
    const migration = await item(tables.state(first, 'Migration3.0'));
    const last = migration !== undefined || first === 'lease-table';
    return last ? migration : item(tables.state('lease-table', 'Migration3.0'));
  }

  /** As the first member of a KCL 3 fleet there is no place yet; with Java workers about it may be one of KCL 2. */
  #firstPlace(): Place | undefined {
    const { compat, withJava } = this.#options;
    return compat === 'kcl3' && !withJava() ? 'lease-table' : undefined;
  }

  /** A leader is a worker like any other: it does not live longer than its metrics, nor than its leases. */
  async #isLed(tables: KclTables, place: Place | undefined, lock: Item | undefined): Promise<boolean> {
    const { clock } = this.#context;
    const { lives, roster } = this.#options;
    const owner = this.#watch.see(parseLeaderLock(lock), clock.monotonic());
    if (place === undefined) return false;
    const others = place === 'legacy-tables' ? await tables.legacyMetrics() : [];
    const leader = owner === undefined ? undefined : await tables.metricsOf(place, owner);
    for (const metrics of [...others, ...(leader === undefined ? [] : [leader])]) {
      const parsed = parseWorkerMetrics(place, metrics);
      if (parsed !== undefined) roster.see(parsed);
    }
    return owner !== undefined && lives(owner);
  }
}

async function item(answer: Promise<Item | 'no-table' | undefined>): Promise<Item | undefined> {
  const found = await answer;
  return found === 'no-table' ? undefined : found;
}
