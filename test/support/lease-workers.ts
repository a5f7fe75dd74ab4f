import {
  type Coordinator,
  type CoordinatorOptions,
  createCoordinator,
} from '../../lib/leases/coordinator.ts';
import type { LeaseEvent } from '../../lib/leases/diagnostics.ts';
import type { HeldLease } from '../../lib/leases/held-lease.ts';
import type { KclTables } from '../../lib/leases/kcl3/kcl-tables.ts';
import type { LeaseStore } from '../../lib/leases/lease-store.ts';
import type { InitialPosition } from '../../lib/leases/stream-leases.ts';
import type { ShardLister } from '../../lib/leases/syncer.ts';
import type { Clock } from '../../lib/runtime/clock.ts';

export interface TestWorker {
  readonly id: string;
  readonly coordinator: Coordinator;
  readonly events: readonly LeaseEvent[];
  /** Keys of the leases whose work is going on. */
  readonly working: ReadonlyMap<string, HeldLease>;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export interface WorkerSettings {
  readonly id: string;
  readonly store: LeaseStore;
  readonly kclTables?: KclTables;
  readonly kinesis: ShardLister;
  readonly clock: Clock;
  readonly streams?: readonly string[];
  readonly initial?: InitialPosition;
  readonly options?: CoordinatorOptions;
  readonly seed?: number;
  /** Instead of working until asked to stop. */
  readonly work?: (lease: HeldLease) => Promise<void>;
}

/** A coordinator that runs until it is stopped, with work that only waits. */
export function startWorker(settings: WorkerSettings): TestWorker {
  const events: LeaseEvent[] = [];
  const working = new Map<string, HeldLease>();
  const stop = new AbortController();
  const { initial = { type: 'TRIM_HORIZON' }, streams = ['orders'] } = settings;
  const coordinator = createCoordinator({
    application: 'test',
    workerId: settings.id,
    streams: streams.map((name) => ({ name, initial })),
    kinesis: settings.kinesis,
    store: settings.store,
    ...(settings.kclTables ? { kclTables: settings.kclTables } : {}),
    clock: settings.clock,
    random: seededRandom(settings.seed ?? settings.id.charCodeAt(0)),
    options: settings.options ?? {},
    events: (event) => void events.push(event),
    work: async (lease) => {
      working.set(lease.leaseKey, lease);
      try {
        await (settings.work ?? untilAsked)(lease);
      } finally {
        working.delete(lease.leaseKey);
      }
    },
  });
  const done = coordinator.run(stop.signal);
  return { id: settings.id, coordinator, events, working, stop, done };
}

export async function untilAsked(lease: HeldLease): Promise<void> {
  const asked = AbortSignal.any([lease.drain, lease.lost]);
  if (asked.aborted) return;
  await new Promise<void>((resolve) => asked.addEventListener('abort', () => resolve(), { once: true }));
}

/** mulberry32: small, and the same everywhere. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
