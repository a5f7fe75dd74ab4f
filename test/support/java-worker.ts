import type { Item } from '../../lib/leases/lease-item.ts';
import type { MemoryLeaseTable } from '../../lib/leases/memory-lease-table.ts';
import type { ClockView } from '../../lib/runtime/manual-clock.ts';

export interface JavaWorker {
  /** Keys of the leases that it renews. */
  readonly holds: ReadonlySet<string>;
  readonly stop: () => void;
}

export interface JavaSettings {
  readonly id: string;
  readonly kcl: 2 | 3;
  readonly table: MemoryLeaseTable;
  readonly clock: Pick<ClockView, 'now' | 'monotonic' | 'sleep'>;
  /** Where a leader assigns: it looks for what names it. */
  readonly discovers?: boolean;
  /** How long its record processors take to end. */
  readonly drainMs?: number;
}

/** Of a failover time of 10 s. */
const renewMs = 3_308;
const discoverMs = 9_975;
const metricsMs = 30_000;

/**
 * What a worker of the Java KCL does to a lease table, by its sources: renews what it holds; KCL 3 publishes metrics,
 * honours hand-offs, and takes up what it was given.
 */
export function startJava(settings: JavaSettings): JavaWorker {
  const { clock, discovers = false, drainMs = 500, id, kcl, table } = settings;
  const stop = new AbortController();
  const holds = new Set<string>();
  const draining = new Set<string>();
  const write = (leaseKey: string, change: (item: Item) => Item): void => {
    const item = table.items.get(leaseKey);
    if (item !== undefined) table.items.set(leaseKey, change(item));
  };
  const own = (): string[] =>
    [...table.items]
      .filter(([, item]) => item.leaseOwner === id && item.entityType === 'LEASE')
      .map(([key]) => key);
  const handOver = async (leaseKey: string): Promise<void> => {
    draining.add(leaseKey);
    await clock.sleep(drainMs, stop.signal);
    draining.delete(leaseKey);
    holds.delete(leaseKey);
    if (stop.signal.aborted) return;
    write(leaseKey, (item) => without(item, 'checkpointOwner'));
    write(leaseKey, countedUp);
  };
  const renew = (): void => {
    for (const leaseKey of holds) {
      const item = table.items.get(leaseKey);
      const asked = kcl === 3 && item?.checkpointOwner === id;
      if (!asked && (item?.leaseOwner !== id || item.checkpointOwner !== undefined)) holds.delete(leaseKey);
      else write(leaseKey, countedUp);
      if (asked && !draining.has(leaseKey)) void handOver(leaseKey);
    }
  };
  const discover = (): void => {
    for (const leaseKey of own())
      if (table.items.get(leaseKey)?.checkpointOwner === undefined) holds.add(leaseKey);
  };
  const publish = (): void => {
    const lut = Math.floor(clock.now() / 1_000);
    table.items.set(id, {
      leaseKey: id,
      entityType: 'WORKER_METRIC_STATS',
      lut,
      sts: {},
      opr: {},
      sup: 1,
      slu: lut,
    });
  };
  const each = async (ms: number, work: () => void): Promise<void> => {
    for (; !stop.signal.aborted; await clock.sleep(ms, stop.signal)) work();
  };
  // As it does at its start, whatever the mode.
  discover();
  void each(renewMs, renew);
  if (kcl === 3) void each(metricsMs, publish);
  if (discovers) void each(discoverMs, discover);
  return { holds, stop: () => stop.abort() };
}

function countedUp(item: Item): Item {
  return { ...item, leaseCounter: Number(item.leaseCounter) + 1 };
}

function without(item: Item, name: string): Item {
  return Object.fromEntries(Object.entries(item).filter(([other]) => other !== name));
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
