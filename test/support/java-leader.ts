import { randomUUID } from 'node:crypto';
import type { Item } from '../../lib/leases/lease-item.ts';
import type { MemoryLeaseTable } from '../../lib/leases/memory-lease-table.ts';
import type { ClockView } from '../../lib/runtime/manual-clock.ts';
import { type JavaWorker, leasesOf } from './java-worker.ts';

export interface LeaderSettings {
  readonly id: string;
  readonly table: MemoryLeaseTable;
  readonly clock: Pick<ClockView, 'now' | 'monotonic' | 'sleep'>;
  readonly failoverMs?: number;
}

const heartbeatMs = 30_000;
const metricsStaleSeconds = 60;

/** `Migration3.0` as KCL 3.5 leaves it. */
export function migrationItem(clientVersion: string, key = 'leaseKey'): Item {
  return {
    [key]: 'Migration3.0',
    entityType: 'CLIENT_VERSION_MIGRATION',
    cv: clientVersion,
    mb: 'java',
    mts: 1_795_175_346_695,
    h: [{ cv: 'CLIENT_VERSION_INIT', mb: 'java', mts: 1_795_175_346_693 }],
  };
}

export function lockItem(owner: string, version: string, key = 'leaseKey'): Item {
  return {
    [key]: 'Leader',
    entityType: 'LEADER',
    ownerName: owner,
    leaseDuration: '120000',
    recordVersionNumber: version,
  };
}

/**
 * The leader's part of a KCL 3 worker, by its sources: holds the lock; once in two failover times it gives free and
 * expired leases, and every third time evens out by hand-offs, among the workers whose metrics are fresh. (By count:
 * in these tests there is no traffic.)
 */
export function startJavaLeader(settings: LeaderSettings): Pick<JavaWorker, 'stop'> {
  const { clock, failoverMs = 10_000, id, table } = settings;
  const stop = new AbortController();
  const counters = new Map<string, { readonly counter: unknown; readonly sinceMs: number }>();
  const each = async (ms: number, work: (round: number) => void): Promise<void> => {
    for (let round = 0; !stop.signal.aborted; round += 1, await clock.sleep(ms, stop.signal)) work(round);
  };
  void each(heartbeatMs, () => void table.items.set('Leader', lockItem(id, randomUUID())));
  void each(2 * failoverMs, (round) => {
    const shares = new Map(workers(table, clock.now()).map((worker) => [worker, 0]));
    const free: string[] = [];
    for (const [key, item] of leasesOf(table)) {
      const owner = `${(item.checkpointOwner ?? item.leaseOwner ?? '') as string}`;
      const before = counters.get(key);
      if (before?.counter !== item.leaseCounter || before === undefined)
        counters.set(key, { counter: item.leaseCounter, sinceMs: clock.monotonic() });
      const quietMs = clock.monotonic() - (counters.get(key)?.sinceMs ?? 0);
      if (owner === '' || quietMs > failoverMs) free.push(key);
      else if (shares.has(owner)) shares.set(owner, (shares.get(owner) ?? 0) + 1);
    }
    for (const key of free) give(table, key, shares);
    if (round % 3 === 0) evenOut(table, shares);
  });
  return { stop: () => stop.abort() };
}

function workers(table: MemoryLeaseTable, nowMs: number): string[] {
  return [...table.items].flatMap(([key, item]) => {
    const fresh = nowMs / 1_000 - Number(item.lut) <= metricsStaleSeconds;
    return item.entityType === 'WORKER_METRIC_STATS' && fresh ? [key] : [];
  });
}

function lightest(shares: ReadonlyMap<string, number>): string | undefined {
  return [...shares].sort((a, b) => a[1] - b[1])[0]?.[0];
}

function give(table: MemoryLeaseTable, key: string, shares: Map<string, number>): void {
  const to = lightest(shares);
  const { checkpointOwner: _, ...item } = table.items.get(key) ?? {};
  if (to === undefined) return;
  shares.set(to, (shares.get(to) ?? 0) + 1);
  table.items.set(key, { ...item, leaseOwner: to, leaseCounter: Number(item.leaseCounter) + 1 });
}

function evenOut(table: MemoryLeaseTable, shares: Map<string, number>): void {
  for (const [key, item] of table.items) {
    const [from, to] = [String(item.leaseOwner), lightest(shares)];
    const gap = (shares.get(from) ?? 0) - (shares.get(to ?? '') ?? 0);
    if (to === undefined || item.entityType !== 'LEASE' || item.checkpointOwner !== undefined || gap < 2)
      continue;
    shares.set(from, (shares.get(from) ?? 0) - 1);
    shares.set(to, (shares.get(to) ?? 0) + 1);
    table.items.set(key, { ...item, leaseOwner: to, checkpointOwner: from });
  }
}
