import type { Item } from '../../lib/leases/lease-item.ts';
import type { MemoryLeaseTable } from '../../lib/leases/memory-lease-table.ts';
import type { ClockView } from '../../lib/runtime/manual-clock.ts';

export interface JavaWorker {
  /** Keys of the leases that it renews. */
  readonly holds: ReadonlySet<string>;
  readonly stop: () => void;
}

/** `counted`: it takes its share by itself. `led`: it looks for what a leader gave it. `alone`: neither. */
export type JavaRules = 'counted' | 'led' | 'alone';

export interface JavaSettings {
  readonly id: string;
  readonly kcl: 2 | 3;
  readonly table: MemoryLeaseTable;
  readonly clock: Pick<ClockView, 'now' | 'monotonic' | 'sleep'>;
  /** Asked each time; `alone` by default. */
  readonly rules?: () => JavaRules;
  /** How long its record processors take to end. */
  readonly drainMs?: number;
}

const failoverMs = 10_000;
const renewMs = 3_308;
const takeMs = 20_050;
const discoverMs = 9_975;
const metricsMs = 30_000;

/**
 * What a worker of the Java KCL does to a lease table, by its sources: renews what it holds, by the counter alone; takes
 * or takes up leases; KCL 3 publishes metrics and honours hand-offs.
 */
export function startJava(settings: JavaSettings): JavaWorker {
  const { clock, id, kcl, rules = () => 'alone', table } = settings;
  const stop = new AbortController();
  const holds = new Holds(settings, stop.signal);
  const seen = new Map<string, { readonly counter: unknown; readonly sinceMs: number }>();
  const each = async (ms: number, work: () => void): Promise<void> => {
    for (; !stop.signal.aborted; await clock.sleep(ms, stop.signal)) work();
  };
  // As it does at its start, whatever the rules.
  holds.discover();
  void each(renewMs, () => holds.renew());
  void each(takeMs, () => {
    if (rules() === 'counted') for (const leaseKey of toTake(settings, seen)) holds.take(leaseKey);
  });
  void each(discoverMs, () => {
    if (rules() === 'led') holds.discover();
  });
  if (kcl === 3) void each(metricsMs, () => void table.items.set(id, metricsItem(id, clock.now())));
  return {
    get holds() {
      return new Set(holds.counters.keys());
    },
    stop: () => stop.abort(),
  };
}

/** The leases of one worker, each with the counter that it has written last. */
class Holds {
  readonly counters = new Map<string, number>();
  readonly #settings: JavaSettings;
  readonly #stopped: AbortSignal;
  readonly #draining = new Set<string>();

  constructor(settings: JavaSettings, stopped: AbortSignal) {
    this.#settings = settings;
    this.#stopped = stopped;
  }

  discover(): void {
    for (const [key, item] of leasesOf(this.#settings.table)) {
      const mine = item.leaseOwner === this.#settings.id && item.checkpointOwner === undefined;
      if (mine && !this.counters.has(key)) this.counters.set(key, Number(item.leaseCounter));
    }
  }

  renew(): void {
    for (const [key, counter] of this.counters) {
      const item = this.#settings.table.items.get(key);
      if (item?.leaseCounter !== counter) {
        this.counters.delete(key);
        continue;
      }
      this.#write(key, {});
      const asked = this.#settings.kcl === 3 && item.checkpointOwner !== undefined;
      if (asked && !this.#draining.has(key)) void this.#handOver(key);
    }
  }

  take(key: string): void {
    const handOffs = this.#settings.kcl === 3 ? ['checkpointOwner'] : [];
    this.#write(key, { leaseOwner: this.#settings.id }, handOffs);
  }

  async #handOver(key: string): Promise<void> {
    const { clock, drainMs = 500, id, table } = this.#settings;
    this.#draining.add(key);
    await clock.sleep(drainMs, this.#stopped);
    this.#draining.delete(key);
    const item = table.items.get(key);
    const mine = item?.leaseCounter === this.counters.get(key) && item?.checkpointOwner === id;
    if (mine && !this.#stopped.aborted) this.#write(key, {}, ['checkpointOwner']);
    this.counters.delete(key);
  }

  #write(key: string, change: Item, removed: readonly string[] = []): void {
    const item = this.#settings.table.items.get(key) ?? {};
    const kept = Object.entries(item).filter(([name]) => !removed.includes(name));
    const leaseCounter = Number(item.leaseCounter) + 1;
    this.#settings.table.items.set(key, { ...Object.fromEntries(kept), ...change, leaseCounter });
    this.counters.set(key, leaseCounter);
  }
}

/** KCL 2's choice: what is free or has expired, up to its share; only where nothing is, one of who has most. */
function toTake(
  { clock, id, table }: JavaSettings,
  seen: Map<string, { readonly counter: unknown; readonly sinceMs: number }>,
): readonly string[] {
  const nowMs = clock.monotonic();
  const available: string[] = [];
  const shares = new Map<unknown, string[]>([[id, []]]);
  const leases = leasesOf(table);
  for (const [key, { leaseCounter: counter, leaseOwner }] of leases) {
    const before = seen.get(key);
    if (before === undefined || before.counter !== counter) seen.set(key, { counter, sinceMs: nowMs });
    const quietMs = nowMs - (seen.get(key)?.sinceMs ?? nowMs);
    if (leaseOwner === undefined || quietMs > failoverMs) available.push(key);
    else shares.set(leaseOwner, [...(shares.get(leaseOwner) ?? []), key]);
  }
  const share = shares.size >= leases.length ? 1 : Math.ceil(leases.length / shares.size);
  const need = share - (shares.get(id)?.length ?? 0);
  if (need <= 0) return [];
  if (available.length > 0) return available.slice(0, need);
  const most = [...shares.values()].sort((a, b) => b.length - a.length)[0] ?? [];
  return most.length > share || (most.length === share && need > 1) ? most.slice(0, 1) : [];
}

export function leasesOf(table: MemoryLeaseTable): readonly (readonly [string, Item])[] {
  return [...table.items].filter(([, item]) => item.entityType === 'LEASE');
}

function metricsItem(id: string, nowMs: number): Item {
  const lut = Math.floor(nowMs / 1_000);
  return { leaseKey: id, entityType: 'WORKER_METRIC_STATS', lut, sts: {}, opr: {}, sup: 1, slu: lut };
}

/** Leases as a Java worker has left them: the n-th is `shardId-…n`. */
export function plantJavaLeases(table: MemoryLeaseTable, owner: string, ordinals: readonly number[]): void {
  for (const n of ordinals) {
    const leaseKey = `shardId-${String(n).padStart(12, '0')}`;
    table.items.set(leaseKey, {
      leaseKey,
      entityType: 'LEASE',
      leaseOwner: owner,
      leaseCounter: 7,
      ownerSwitchesSinceCheckpoint: 0,
      checkpoint: '49',
      checkpointSubSequenceNumber: 0,
    });
  }
}
