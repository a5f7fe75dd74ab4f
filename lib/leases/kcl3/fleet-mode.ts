import type { Item } from '../lease-item.ts';
import type { Place } from './kcl-tables.ts';

/**
 * Who else may be in the fleet. `native`: whatever KCL 3 keeps is neither read nor written; Java workers, if there are
 * any, are taken for KCL 2 unless the lease table itself tells otherwise. `kcl2`: the same, but shares are counted, as
 * KCL 2 does. `kcl3`: this worker is a member of a KCL 3 fleet from its start. `auto`: as the tables say.
 */
export type Compat = 'native' | 'kcl2' | 'kcl3' | 'auto';

/**
 * By which rules a worker lives with the others:
 * - `native`: our own.
 * - `kcl2`: shares are counted, not weighed, as those of Java's taker are.
 * - `kcl3-upgrade`: the same, and metrics are published, without which the fleet never leaves the rules of KCL 2.
 * - `kcl3-led`: a Java leader assigns the leases; nothing is taken but what it gives, or leaves lying for too long.
 * - `kcl3-leaderless`: no Java leader lives: our own rules, for the whole fleet, its Java workers included.
 */
export type FleetMode = 'native' | 'kcl2' | 'kcl3-upgrade' | 'kcl3-led' | 'kcl3-leaderless';

/** How the fleet stands, as its tables say. */
export interface FleetState {
  /** `cv` of the item Migration3.0; undefined if there is none. */
  readonly clientVersion: string | undefined;
  /** There is a Java leader, and it was seen to live. */
  readonly led: boolean;
  /** Where the workers publish their metrics; undefined if nothing of KCL 3 was found. */
  readonly place: Place | undefined;
}

/** Source for the versions: ClientVersion (3.5). */
export function fleetMode(compat: Compat, { clientVersion, led, place }: FleetState): FleetMode {
  if (compat === 'native' || compat === 'kcl2') return compat;
  if (clientVersion === 'CLIENT_VERSION_UPGRADE_FROM_2X') return 'kcl3-upgrade';
  if (clientVersion === 'CLIENT_VERSION_2X' || clientVersion === 'CLIENT_VERSION_INIT') return 'kcl2';
  if (compat === 'auto' && place === undefined) return 'native';
  return led ? 'kcl3-led' : 'kcl3-leaderless';
}

export function publishesMetrics(mode: FleetMode): boolean {
  switch (mode) {
    case 'native':
    case 'kcl2':
      return false;
    case 'kcl3-upgrade':
    case 'kcl3-led':
    case 'kcl3-leaderless':
      return true;
  }
}

/**
 * While a fleet moves everything into the lease table, its Java workers read both places and write to the new one from
 * PENDING on. `tm`: of the item TableMigration3.5, which lies in the old place. Source: WorkerMetricStatsDAO (3.5).
 */
export function metricsPlace(legacyThere: boolean, tm: unknown): Place {
  const moved = tm === 'TABLE_MIGRATION_STATUS_PENDING' || tm === 'TABLE_MIGRATION_STATUS_COMPLETE';
  return legacyThere && !moved ? 'legacy-tables' : 'lease-table';
}

/** The leader's lock moves last. Source: CoordinatorStateDAO (3.5). */
export function lockPlace(legacyThere: boolean, tm: unknown): Place {
  return legacyThere && tm !== 'TABLE_MIGRATION_STATUS_COMPLETE' ? 'legacy-tables' : 'lease-table';
}

/** An item of the lock client for DynamoDB that KCL 3 elects its leader with. */
export interface LeaderLock {
  readonly owner: string;
  /** Changes with each heartbeat. */
  readonly version: string;
  /** Without a heartbeat for so long it is anybody's. */
  readonly leaseMs: number;
}

/** Undefined where there is none that is held. */
export function parseLeaderLock(item: Item | undefined): LeaderLock | undefined {
  if (item === undefined || item.isReleased === '1') return undefined;
  const { leaseDuration, ownerName, recordVersionNumber } = item;
  const leaseMs = Number(leaseDuration);
  if (typeof ownerName !== 'string' || typeof recordVersionNumber !== 'string') return undefined;
  return leaseMs > 0 ? { owner: ownerName, version: recordVersionNumber, leaseMs } : undefined;
}
