import { expect } from 'chai';
import type { DeadLetter } from '../../../lib/consumer/dead-letters.ts';
import type { ConsumerDiagnostic } from '../../../lib/consumer/diagnostics.ts';
import type { ConsumerOptions } from '../../../lib/consumer/options.ts';
import type { ShardContext, StreamRecord } from '../../../lib/consumer/processor.ts';
import { type Consumer, createConsumer } from '../../../lib/consumer/run-consumer.ts';
import type { CoordinatorOptions } from '../../../lib/leases/coordinator.ts';
import type { LeaseEvent } from '../../../lib/leases/diagnostics.ts';
import { faultyLeaseTable, type LeaseTableLine } from '../../../lib/leases/lease-table-faults.ts';
import { createMemoryLeaseTable, type MemoryLeaseTable } from '../../../lib/leases/memory-lease-table.ts';
import { createLeaseStore } from '../../../lib/leases/table-lease-store.ts';
import { leaseRequestMs } from '../../../lib/leases/timings.ts';
import { silentLog } from '../../../lib/runtime/log.ts';
import { type ClockView, createManualClock, type ManualClock } from '../../../lib/runtime/manual-clock.ts';
import type { Kinesis, PutEntry } from '../../../lib/streams/kinesis.ts';
import { createMemoryKinesis, type MemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import { seededRandom } from '../../support/lease-workers.ts';
import { Audit } from './audit.ts';

export const stream = 'orders';
export const shardId = (n: number): string => `shardId-${String(n).padStart(12, '0')}`;
/** The default of the library, which the bounds of the scenarios are stated in. */
export const failoverMs = 10_000;

export interface WorkerPlan {
  readonly options?: Partial<ConsumerOptions>;
  readonly leases?: CoordinatorOptions;
  /** Before a batch is done: waits, throws. */
  readonly handle?: (records: readonly StreamRecord[], context: ShardContext) => Promise<void>;
  /** What this worker's calls to Kinesis go through. */
  readonly kinesis?: (kinesis: Kinesis) => Kinesis;
  readonly deadLetter?: (letter: DeadLetter) => Promise<void>;
  /** How far its wall clock is ahead of that of the services. */
  readonly skewMs?: number;
  /** Told of each event before anything else happens. */
  readonly onEvent?: (event: LeaseEvent | ConsumerDiagnostic, worker: { readonly clock: ClockView }) => void;
}

export interface StageWorker {
  readonly id: string;
  readonly clock: ClockView;
  /** Its way to the lease table. */
  readonly line: LeaseTableLine;
  readonly consumer: Consumer;
  readonly events: readonly (LeaseEvent | ConsumerDiagnostic)[];
  /** Shards in work. */
  readonly shards: () => readonly string[];
  /** SIGTERM. */
  readonly stop: () => void;
  /** SIGSTOP until `thaw`: its clock goes on, it gets no turn. Never thawed: kill -9. */
  readonly freeze: () => void;
  readonly done: Promise<void>;
  readonly ended: () => boolean;
}

export interface Stage {
  readonly clock: ManualClock;
  readonly kinesis: MemoryKinesis;
  readonly table: MemoryLeaseTable;
  readonly audit: Audit;
  readonly letters: readonly DeadLetter[];
  readonly workers: readonly StageWorker[];
  readonly start: (id: string, plan?: WorkerPlan) => StageWorker;
  readonly put: (entries: readonly (string | PutEntry)[]) => Promise<void>;
  /** So many records on each open shard. */
  readonly putEach: (count: number, prefix: string) => Promise<void>;
  /** Moves the clock until `reached`; fails after `withinMs`. Gives back how long it took. */
  readonly until: (what: string, reached: () => boolean, withinMs: number) => Promise<number>;
  /** Stops everybody who still runs, and checks that no invariant was broken and no worker failed. */
  readonly end: () => Promise<void>;
}

const stepMs = 100;

/** Whole consumers over memory Kinesis and a memory lease table, on a clock that is moved by hand, all audited. */
export function createStage(shards: number, seed = 1): Stage {
  const clock = createManualClock({ startMs: Date.parse('2026-11-20T10:00:00Z') });
  const kinesis = createMemoryKinesis({ clock, random: seededRandom(seed) });
  kinesis.createStream(stream, shards);
  const table = createMemoryLeaseTable();
  const audit = new Audit(() => kinesis.shardsOf(stream), clock.monotonic);
  const world = { clock, kinesis, table: audit.watch(table), audit, letters: [] as DeadLetter[] };
  const workers: StageWorker[] = [];
  const until: Stage['until'] = async (what, reached, withinMs) => {
    const beganMs = clock.monotonic();
    while (!reached()) {
      if (clock.monotonic() - beganMs >= withinMs) expect.fail(`not within ${withinMs} ms: ${what}`);
      await clock.advance(stepMs);
    }
    return clock.monotonic() - beganMs;
  };
  const put: Stage['put'] = async (entries) => {
    for (const entry of entries) {
      const outcomes = await kinesis.put(stream, [typeof entry === 'string' ? entryOf(entry) : entry]);
      for (const outcome of outcomes) if (outcome.ok) audit.put(outcome.shardId, outcome.sequenceNumber);
    }
  };
  return {
    clock,
    kinesis,
    table,
    audit,
    letters: world.letters,
    workers,
    until,
    start: (id, plan = {}) => {
      const worker = startWorker(id, plan, world, seed * 1_000 + workers.length);
      workers.push(worker);
      return worker;
    },
    put,
    putEach: async (count, prefix) => {
      const open = kinesis.shardsOf(stream).filter((shard) => shard.endingSequenceNumber === undefined);
      for (const { shardId, startingHashKey: explicitHashKey } of open) {
        await put(
          texts(count, `${prefix}-${shardId}-`).map((text) => ({ ...entryOf(text), explicitHashKey })),
        );
      }
    },
    end: async () => {
      const living = workers.filter((worker) => !worker.clock.frozen() && !worker.ended());
      for (const worker of living) worker.stop();
      await until('all have stopped', () => living.every(({ ended }) => ended()), 60_000);
      await Promise.all(living.map(({ done }) => done));
      expect(audit.breaches).to.deep.equal([]);
    },
  };
}

function entryOf(text: string): PutEntry {
  return { partitionKey: text, data: new TextEncoder().encode(text) };
}

/** `count` texts that differ, and that spread over all shards. */
export function texts(count: number, prefix = 'r'): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

type World = Pick<Stage, 'clock' | 'kinesis' | 'audit'> & {
  readonly table: Parameters<typeof faultyLeaseTable>[0];
  readonly letters: DeadLetter[];
};

function startWorker(id: string, plan: WorkerPlan, world: World, seed: number): StageWorker {
  const { audit } = world;
  const clock = world.clock.view();
  clock.jumpWall(plan.skewMs ?? 0);
  const random = seededRandom(seed);
  const requestMs = leaseRequestMs(plan.leases?.failoverMs ?? failoverMs);
  const gated = gatedBy(clock);
  const line = faultyLeaseTable(gated(world.table), { clock, worldClock: world.clock, random, requestMs });
  const events: (LeaseEvent | ConsumerDiagnostic)[] = [];
  const stop = new AbortController();
  const { deadLetter, handle, kinesis = (port) => port } = plan;
  const consumer = createConsumer({
    application: 'tests',
    workerId: id,
    streams: [stream],
    kinesis: gated(kinesis(world.kinesis)),
    leaseStore: createLeaseStore(line),
    processorFor: () => ({
      start: async () => {},
      process: async (records, context) => {
        const { fence, signal } = context;
        audit.begin(id, fence, signal.aborted, records);
        await handle?.(records, context);
        audit.end(id, fence, records);
      },
      flush: async () => ({}),
      deadLettered: async (record, { fence }) => audit.setAside(fence, record),
    }),
    deadLetters: {
      put: async (letter) => {
        await deadLetter?.(letter);
        world.letters.push(letter);
      },
    },
    clock,
    random,
    log: silentLog,
    ...(plan.options ? { options: plan.options } : {}),
    ...(plan.leases ? { leases: plan.leases } : {}),
    onDiagnostic: (event) => {
      events.push(event);
      plan.onEvent?.(event, { clock });
    },
  });
  let ended = false;
  const done = consumer.run(stop.signal).finally(() => (ended = true));
  return {
    id,
    clock,
    line,
    consumer,
    events,
    shards: () => consumer.snapshot().map(({ shardId }) => shardId),
    stop: () => stop.abort(),
    freeze: () => clock.freeze('stopped'),
    done,
    ended: () => ended,
  };
}

/** A process that stands still neither sends nor hears anything: its calls wait until it goes on. */
function gatedBy(clock: ClockView): <T extends object>(port: T) => T {
  const turn = async (): Promise<void> => {
    if (clock.frozen()) await clock.sleep(0);
  };
  return (port) =>
    new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function' || name === 'scan' || name === 'subscribe') return member;
        return async (...call: unknown[]): Promise<unknown> => {
          await turn();
          const result: unknown = await Reflect.apply(member, target, call);
          await turn();
          return result;
        };
      },
    });
}

/** The events of one type, in order. */
export function eventsOf<T extends (LeaseEvent | ConsumerDiagnostic)['type']>(
  worker: StageWorker,
  type: T,
): readonly Extract<LeaseEvent | ConsumerDiagnostic, { readonly type: T }>[] {
  return worker.events.filter((event): event is Extract<LeaseEvent | ConsumerDiagnostic, { type: T }> => {
    return event.type === type;
  });
}
