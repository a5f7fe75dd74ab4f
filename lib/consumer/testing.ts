import { decodeJson, encodeJson } from '../event/codec-json.ts';
import { attribute, type Event } from '../event/event.ts';
import type { CoordinatorOptions } from '../leases/coordinator.ts';
import type { LeaseEvent } from '../leases/diagnostics.ts';
import { createMemoryLeaseStore } from '../leases/memory-lease-table.ts';
import { assert } from '../runtime/errors.ts';
import { silentLog } from '../runtime/log.ts';
import { createManualClock, type ManualClock } from '../runtime/manual-clock.ts';
import { createMemoryKinesis, type MemoryKinesis } from '../streams/memory-kinesis.ts';
import type { DeadLetter } from './dead-letters.ts';
import type { ConsumerDiagnostic } from './diagnostics.ts';
import { eventProcessor } from './event-processor.ts';
import type { EventHandler, LedgerEntry } from './events.ts';
import type { ConsumerOptions } from './options.ts';
import type { ShardProcessor } from './processor.ts';
import { type Consumer, createConsumer } from './run-consumer.ts';

export interface KitOptions {
  /** Name of each stream and how many shards it begins with. */
  readonly streams: Readonly<Record<string, number>>;
  /** One handler of events per acquired shard; or `processorFor`, for records as they come. */
  readonly handlerFor?: (stream: string, shardId: string) => EventHandler;
  readonly processorFor?: (stream: string, shardId: string) => ShardProcessor;
  readonly options?: Partial<ConsumerOptions>;
  readonly leases?: CoordinatorOptions;
  readonly startMs?: number;
  /** In [0, 1). By default the same numbers in each run. */
  readonly random?: () => number;
}

export interface KitWorker {
  readonly consumer: Consumer;
  /** SIGTERM: drains and hands the leases over. Moves the clock until it is done. */
  readonly stop: () => Promise<void>;
  /** kill -9: from now on nothing this worker asks for is answered, and it handles nothing more. */
  readonly kill: () => void;
}

export interface ConsumerKit {
  readonly clock: ManualClock;
  /** With fault verbs, split, merge, trim: see MemoryKinesisAdmin. */
  readonly kinesis: MemoryKinesis;
  readonly leaseStore: ReturnType<typeof createMemoryLeaseStore>;
  readonly deadLetters: readonly DeadLetter[];
  readonly ledger: readonly LedgerEntry[];
  readonly diagnostics: readonly (ConsumerDiagnostic | LeaseEvent)[];
  /** In order, one by one, with the stamp that the event carries, if any. */
  readonly send: (stream: string, events: readonly Event[]) => Promise<void>;
  readonly startWorker: (workerId?: string) => KitWorker;
  /** Moves the clock until `reached`, by at most `withinMs`. Rejects with what is missing after that. */
  readonly until: (reached: () => boolean, withinMs?: number) => Promise<void>;
}

/** One step of `until`: short enough to see what happens between two reads. */
const stepMs = 50;

/** A whole consumer in memory, with a clock that is moved by hand: for tests of handlers and processors. */
export function createConsumerKit(kit: KitOptions): ConsumerKit {
  const clock = createManualClock({ startMs: kit.startMs ?? Date.parse('2026-01-01T00:00:00Z') });
  const random = kit.random ?? sameEachTime();
  const kinesis = createMemoryKinesis({ clock, random });
  for (const [name, shards] of Object.entries(kit.streams)) kinesis.createStream(name, shards);
  const leaseStore = createMemoryLeaseStore();
  const deadLetters: DeadLetter[] = [];
  const ledger: LedgerEntry[] = [];
  const diagnostics: (ConsumerDiagnostic | LeaseEvent)[] = [];
  const until = async (reached: () => boolean, withinMs = 60_000): Promise<void> => {
    for (let passedMs = 0; !reached(); passedMs += stepMs) {
      assert(passedMs < withinMs, `Not reached within ${withinMs} ms: ${reached.toString()}`);
      await clock.advance(stepMs);
    }
  };
  const world = { clock, kinesis, leaseStore, deadLetters, ledger, diagnostics, until };
  const send = async (stream: string, events: readonly Event[]): Promise<void> => {
    for (const event of events) {
      const data = encodeJson(event, event.attributes[attribute.stamp]);
      const [outcome] = await kinesis.put(stream, [{ partitionKey: event.subject, data }]);
      assert(outcome?.ok, `The event ${event.id} was refused by ${stream}`);
    }
  };
  let workers = 0;
  const startWorker = (workerId = `worker-${(workers += 1)}`): KitWorker =>
    start(workerId, kit, random, world);
  return { ...world, send, startWorker };
}

type World = Omit<ConsumerKit, 'send' | 'startWorker' | 'deadLetters' | 'ledger' | 'diagnostics'> & {
  readonly deadLetters: DeadLetter[];
  readonly ledger: LedgerEntry[];
  readonly diagnostics: (ConsumerDiagnostic | LeaseEvent)[];
};

function start(workerId: string, kit: KitOptions, random: () => number, world: World): KitWorker {
  const stop = new AbortController();
  const clock = world.clock.view();
  const line = new Line();
  const deadLetters = line.through({
    put: async (letter: DeadLetter) => void world.deadLetters.push(letter),
  });
  const ledger = line.through({ put: async (entry: LedgerEntry) => void world.ledger.push(entry) });
  const handled = (stream: string, shardId: string): ShardProcessor => {
    const handler = kit.handlerFor?.(stream, shardId);
    assert(handler, 'createConsumerKit needs handlerFor or processorFor');
    return eventProcessor({
      consumer: 'kit',
      handler,
      decode: decodeJson,
      deadLetters,
      ledger,
      clock,
    });
  };
  const processorFor = kit.processorFor ?? handled;
  const consumer = createConsumer({
    application: 'kit',
    workerId,
    streams: Object.keys(kit.streams),
    kinesis: line.through(world.kinesis),
    leaseStore: line.through(world.leaseStore),
    processorFor: (stream, shardId) => line.through(processorFor(stream, shardId)),
    deadLetters,
    clock,
    log: silentLog,
    random,
    ...(kit.options ? { options: kit.options } : {}),
    ...(kit.leases ? { leases: kit.leases } : {}),
    onDiagnostic: (diagnostic) => void world.diagnostics.push(diagnostic),
  });
  let over = false;
  const running = consumer.run(stop.signal).finally(() => (over = true));
  return {
    consumer,
    stop: async () => {
      stop.abort();
      await world.until(() => over);
      await running;
    },
    kill: () => {
      clock.freeze('stopped');
      line.cut();
    },
  };
}

/** A linear congruential generator with the constants of Numerical Recipes: plenty for pauses and names. */
function sameEachTime(): () => number {
  let state = 1;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** What lies between a worker and the world; once cut, every call is for ever under way. */
class Line {
  #isCut = false;

  cut(): void {
    this.#isCut = true;
  }

  through<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...call: unknown[]): unknown =>
          this.#isCut ? new Promise(() => {}) : Reflect.apply(member, target, call);
      },
    });
  }
}
