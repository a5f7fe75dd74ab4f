import type { Clock } from '../runtime/clock.ts';
import { assert } from '../runtime/errors.ts';
import { retry } from '../runtime/retry.ts';
import type { StreamDescription } from '../streams/kinesis.ts';
import { KinesisError } from '../streams/kinesis-error.ts';
import type { LeaseEvent } from './diagnostics.ts';
import type { Checkpoint, HeldLease } from './held-lease.ts';
import type { Compat } from './kcl3/fleet-mode.ts';
import type { KclTables } from './kcl3/kcl-tables.ts';
import type { WorkerContext } from './worker-context.ts';
import type { LeaseStore } from './lease-store.ts';
import { type InitialPosition, type KeyFormat, type StreamLeases, streamLeases } from './stream-leases.ts';
import type { ShardLister } from './syncer.ts';
import { Life } from './pulse.ts';
import { createTimeWatch } from './time-watch.ts';
import { timingsFor } from './timings.ts';
import { startBackoff, Worker } from './worker.ts';

export interface CoordinatorOptions {
  /** How long a silent worker keeps its leases; the same for the whole fleet. 10 s by default. */
  readonly failoverMs?: number;
  /**
   * DynamoDB read units that the whole fleet may spend each second while every worker surveys the lease table; in
   * larger fleets one does it for all. 5 by default.
   */
  readonly surveyUnitsPerSecond?: number;
  /** The longest time from the signal to the return of `run`. 25 s by default: below the 30 s that ECS gives. */
  readonly stopMs?: number;
  /** The most leases that this worker holds. No limit by default. */
  readonly maxLeases?: number;
  /**
   * See KeyFormat. By default `shard` for one stream and `stream` for several; to be given where the number of
   * streams may change, because a table keeps the format it began with.
   */
  readonly keyFormat?: KeyFormat;
  /** See Compat. `native` where `kclTables` are not given, `auto` where they are. */
  readonly compat?: Compat;
  /** Names this process among all that ever have this worker's id; random by default. */
  readonly processId?: string;
  /** True if the process with this id (of the same worker id) surely runs no more. */
  readonly isGone?: (processId: string) => boolean;
}

export interface CoordinatorSettings {
  /** The name of the consumer, for messages. */
  readonly application: string;
  /** Unique in the fleet. One that is kept over restarts gets its leases back without waiting for failover. */
  readonly workerId: string;
  readonly streams: readonly { readonly name: string; readonly initial: InitialPosition }[];
  readonly kinesis: ShardLister;
  readonly store: LeaseStore;
  /** What KCL 3 keeps beside the leases; for a fleet with Java workers. Without it nothing of that is read or written. */
  readonly kclTables?: KclTables;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly options?: CoordinatorOptions;
  readonly events: (event: LeaseEvent) => void;
  /**
   * Reads one shard for as long as it may. Returns after `finish`, or once `drain` or `lost` is aborted and what
   * was in flight is done. If it throws, or returns unasked, the lease is released and tried again after a pause.
   */
  readonly work: (lease: HeldLease) => Promise<void>;
}

export interface CoordinatorSnapshot {
  readonly workerId: string;
  readonly held: readonly {
    readonly leaseKey: string;
    readonly stream: string;
    readonly shardId: string;
    readonly fence: number;
    readonly checkpoint: Checkpoint;
    readonly throughputKBps: number;
    readonly draining: boolean;
  }[];
  /** Of the whole fleet, as last seen. */
  readonly workers: readonly string[];
  readonly live: number;
  readonly unowned: number;
}

export interface Coordinator {
  /**
   * Holds this worker's share of the leases until `signal` aborts, then drains and hands them over. Rejects if the
   * worker cannot start: `lease-table-missing`, `lease-table-forbidden`, `stream-not-found`, `duplicate-worker`;
   * later only if the table is deleted (`lease-table-missing`) or an invariant of the code is broken.
   */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly snapshot: () => CoordinatorSnapshot;
}

export function createCoordinator(settings: CoordinatorSettings): Coordinator {
  const context = workerContext(settings);
  const { compat, isGone, maxLeases, stopMs } = settings.options ?? {};
  const tables = settings.kclTables;
  assert(
    compat !== 'kcl3' || tables !== undefined,
    'To be a member of a KCL 3 fleet give its tables (kclTables)',
  );
  let worker: Worker | undefined;
  return {
    run: async (signal) => {
      assert(worker === undefined, 'A coordinator runs once: create another');
      const options = {
        application: settings.application,
        maxLeases: maxLeases ?? Number.POSITIVE_INFINITY,
        stopMs: stopMs ?? 25_000,
        isGone: isGone ?? (() => false),
        fleet: { compat: compat ?? (tables === undefined ? 'native' : 'auto'), tables },
      };
      try {
        worker = new Worker(context, await openStreams(settings, signal), options, settings);
        await worker.start(signal);
      } catch (error) {
        // Told to stop while it tried to start: it holds nothing, so there is nothing to say.
        if (!signal.aborted) throw error;
      }
      if (!signal.aborted) await worker?.run(signal);
    },
    snapshot: () => worker?.snapshot() ?? notStarted(settings.workerId),
  };
}

function notStarted(workerId: string): CoordinatorSnapshot {
  return { workerId, held: [], workers: [workerId], live: 0, unowned: 0 };
}

function workerContext(settings: CoordinatorSettings): WorkerContext {
  const { clock, events, options, random, store, workerId } = settings;
  const timings = timingsFor(options?.failoverMs ?? 10_000, options?.surveyUnitsPerSecond);
  const incarnation = `${workerId}/${options?.processId ?? random().toString(36).slice(2)}`;
  const watch = createTimeWatch(clock, timings.clockToleranceMs, (byMs) =>
    events({ type: 'clock-jumped', byMs }),
  );
  return {
    worker: workerId,
    life: new Life(incarnation, { clock, timings, watch }),
    store,
    clock,
    random,
    timings,
    watch,
    report: events,
    leaving: new AbortController(),
  };
}

/** Waits for a stream that is being created; a stream that does not exist ends the start. */
async function openStreams(
  settings: CoordinatorSettings,
  signal: AbortSignal,
): Promise<readonly StreamLeases[]> {
  const { clock, kinesis, options, random, streams } = settings;
  const format = options?.keyFormat ?? (streams.length === 1 ? 'shard' : 'stream');
  assert(format === 'stream' || streams.length === 1, 'Several streams need the key format "stream"');
  return Promise.all(
    streams.map(async ({ name, initial }) => {
      const found = await retry(() => describeActive(kinesis, name, signal), {
        backoff: startBackoff,
        retryable: (error) => error instanceof KinesisError && error.retryable,
        clock,
        random,
        signal,
      });
      return streamLeases(found, format, initial);
    }),
  );
}

async function describeActive(
  kinesis: ShardLister,
  name: string,
  signal: AbortSignal,
): Promise<StreamDescription> {
  const found = await kinesis.describe(name, signal);
  if (found.status === 'CREATING')
    throw new KinesisError('resource-in-use', `Stream ${name} is being created`);
  return found;
}
