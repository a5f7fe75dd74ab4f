import { type CoordinatorOptions, createCoordinator } from '../leases/coordinator.ts';
import type { LeaseEvent } from '../leases/diagnostics.ts';
import type { HeldLease } from '../leases/held-lease.ts';
import type { KclTables } from '../leases/kcl3/kcl-tables.ts';
import type { LeaseStore } from '../leases/lease-store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Kinesis } from '../streams/kinesis.ts';
import { ByteBudget } from './byte-budget.ts';
import { type ShardPorts, ShardRun, type ShardStatus } from './consume-shard.ts';
import type { DeadLetters } from './dead-letters.ts';
import { type ConsumerDiagnostic, logDiagnostic, logLeaseEvent } from './diagnostics.ts';
import { type ConsumerOptions, consumerOptions } from './options.ts';
import type { ShardProcessor } from './processor.ts';
import { hashRanges } from './shard-ranges.ts';

export interface ConsumerSettings {
  /** Names the consumer in dead letters and, with fan-out, at Kinesis. */
  readonly application: string;
  /** Unique in the fleet; kept over restarts it gets its leases back at once. */
  readonly workerId: string;
  readonly streams: readonly string[];
  readonly kinesis: Kinesis;
  readonly leaseStore: LeaseStore;
  /** See CoordinatorSettings: for a fleet with workers of the Java KCL. */
  readonly kclTables?: KclTables;
  /** A new processor for each acquisition of a shard. */
  readonly processorFor: (stream: string, shardId: string) => ShardProcessor;
  readonly deadLetters: DeadLetters;
  readonly clock: Clock;
  readonly log: Log;
  readonly options?: Partial<ConsumerOptions>;
  readonly leases?: CoordinatorOptions;
  /** Everything that happens, beside the log: for metrics and tests. */
  readonly onDiagnostic?: (diagnostic: ConsumerDiagnostic | LeaseEvent) => void;
  /** In [0, 1): spreads pauses. Seeded in tests. */
  readonly random?: () => number;
}

export interface Consumer {
  /**
   * Consumes this worker's share of the shards until `signal` aborts; then drains, hands the leases over and
   * resolves. Rejects if it cannot start (see Coordinator.run), later only with a broken invariant.
   */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** The shards in work, in the order they were acquired. */
  readonly snapshot: () => readonly ShardStatus[];
  /** Shards that no worker of the fleet holds, as this one last saw it. */
  readonly unowned: () => number;
}

/**
 * What may be held of `bytesMax`. The rest is for pages that were handled: they take their memory until the garbage
 * collector comes, and V8 calls it when some 64 MiB of buffers were made since the last time.
 */
const heldShare = 0.75;

/** A consumer of streams. Throws ConfigError where options are outside their limits. */
export function createConsumer(settings: ConsumerSettings): Consumer {
  const { application, clock, kinesis, log, onDiagnostic, processorFor, random = Math.random } = settings;
  const options = consumerOptions(settings.options);
  const runs = new Map<HeldLease, ShardRun>();
  const ports: ShardPorts = {
    application,
    kinesis,
    clock,
    random,
    options,
    processorFor,
    deadLetters: settings.deadLetters,
    budget: new ByteBudget(Math.floor(options.bytesMax * heldShare)),
    rangeOf: hashRanges(kinesis),
    report: (diagnostic) => {
      logDiagnostic(log, diagnostic);
      onDiagnostic?.(diagnostic);
    },
  };
  const coordinator = createCoordinator({
    application,
    workerId: settings.workerId,
    kinesis,
    store: settings.leaseStore,
    ...(settings.kclTables ? { kclTables: settings.kclTables } : {}),
    clock,
    random,
    streams: settings.streams.map((name) => ({ name, initial: options.initialPosition })),
    ...(settings.leases ? { options: settings.leases } : {}),
    events: (event) => {
      logLeaseEvent(log, event);
      onDiagnostic?.(event);
    },
    work: async (lease) => {
      const run = new ShardRun(lease, ports);
      runs.set(lease, run);
      await run.run().finally(() => runs.delete(lease));
    },
  });
  return {
    run: coordinator.run,
    snapshot: () => [...runs.values()].map((run) => run.status()),
    unowned: () => coordinator.snapshot().unowned,
  };
}
