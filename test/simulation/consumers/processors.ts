import type { DeadLetters } from '../../../lib/consumer/dead-letters.ts';
import { eventProcessor } from '../../../lib/consumer/event-processor.ts';
import type { Ledger } from '../../../lib/consumer/events.ts';
import { laneProcessor } from '../../../lib/consumer/lanes.ts';
import type { ConsumerOptions } from '../../../lib/consumer/options.ts';
import type { ShardContext, ShardProcessor, StreamRecord } from '../../../lib/consumer/processor.ts';
import { decodeJson } from '../../../lib/event/codec-json.ts';
import type { SavedState } from '../../../lib/leases/saved-state.ts';
import { PlatformError } from '../../../lib/runtime/errors.ts';
import type { Fleet, SimulatedProcess } from '../fleet.ts';
import type { Auditor, CountOf, Tenure } from './auditor.ts';
import type { Truth } from './truth.ts';

/** Of records as they come, of events with stamps and a tally, or of several keys at once. */
export type Manner = 'records' | 'events' | 'lanes';

export interface ProcessorPorts {
  readonly fleet: Fleet;
  readonly process: SimulatedProcess;
  readonly auditor: Auditor;
  readonly mood: Mood;
  readonly deadLetters: DeadLetters;
  readonly ledger: Ledger;
  readonly options: ConsumerOptions;
}

/** How handlers behave at the moment. */
export interface Mood {
  /** Chance that a call takes long. */
  slow: number;
  /** Chance that what a handler needs cannot be reached. */
  outage: number;
  /** Poison can be handled after all. */
  cured: boolean;
}

const flakyTries = 2;
/** Longer than a lease is owned without a write, now and then. */
const slowMsMax = 12_000;
const application = 'simulation';

/** How each manner counts what is done in its saved state. */
export const counts: Readonly<Record<Manner, CountOf>> = {
  records: (state) => Number(state?.count),
  events: (state) => (state === undefined ? Number.NaN : countOf(state.tally)),
  lanes: () => undefined,
};

function countOf(tally: unknown): number {
  const entries = Object.values((tally ?? {}) as Record<string, { readonly count: number }>);
  return entries.reduce((sum, { count }) => sum + count, 0);
}

/** A new processor, watched from outside. */
export function watchedProcessor(manner: Manner, ports: ProcessorPorts): ShardProcessor {
  const work = new Work(ports);
  switch (manner) {
    case 'records':
      return watched(ports, new Counting(work), true);
    case 'events':
      return watched(ports, events(work, ports), true);
    case 'lanes':
      return watched(ports, lanes(work, ports), false);
  }
}

/** What a handler does with a record: takes its time, and fails where it must. */
class Work {
  readonly #ports: ProcessorPorts;
  readonly #truth: Truth;
  /** Tries of flaky records, by this owner. */
  readonly #tries = new Map<string, number>();
  readonly #heedsSignal: boolean;

  constructor(ports: ProcessorPorts) {
    this.#ports = ports;
    this.#truth = ports.auditor.truth;
    this.#heedsSignal = ports.fleet.random() < 0.5;
  }

  async do(records: readonly StreamRecord[], signal: AbortSignal): Promise<void> {
    await this.pause(signal);
    for (const { position, shardId } of records) {
      const put = this.#truth.shard(shardId)?.at(position);
      if (put?.kind === 'poison' && !this.#ports.mood.cured)
        throw new TypeError(`${put.id} cannot be handled`);
      if (put?.kind !== 'flaky') continue;
      const tries = (this.#tries.get(put.id) ?? 0) + 1;
      this.#tries.set(put.id, tries);
      if (tries <= flakyTries) throw new Error(`${put.id} failed for the ${tries}th time`);
    }
  }

  /** Time, and what may fail without a record being to blame. */
  async pause(signal: AbortSignal): Promise<void> {
    const { fleet, mood, process } = this.#ports;
    if (fleet.random() < mood.slow) {
      const ms = fleet.random() ** 4 * slowMsMax;
      await process.clock.sleep(ms, ...(this.#heedsSignal ? [signal] : []));
    }
    if (fleet.random() < mood.outage) {
      throw new PlatformError('table-throttled', 'simulated: out of reach', { retryable: true });
    }
  }
}

/** The least that a processor can be: a count in memory that is durable with each flush. */
class Counting implements ShardProcessor {
  readonly #work: Work;
  #count = 0;

  constructor(work: Work) {
    this.#work = work;
  }

  readonly start: ShardProcessor['start'] = async ({ state }, { signal }) => {
    await this.#work.pause(signal);
    this.#count = Number(state?.count ?? 0);
  };

  readonly process: ShardProcessor['process'] = async (records, { signal }) => {
    await this.#work.do(records, signal);
    this.#count += records.length;
  };

  readonly deadLettered = async (): Promise<void> => {
    this.#count += 1;
  };

  readonly flush = async (_: unknown, { signal }: ShardContext): Promise<SavedState> => {
    const count = this.#count;
    await this.#work.pause(signal);
    return { count };
  };
}

function events(work: Work, { deadLetters, ledger, process }: ProcessorPorts): ShardProcessor {
  return eventProcessor({
    consumer: application,
    decode: decodeJson,
    deadLetters,
    ledger,
    clock: process.clock,
    handler: {
      start: (_, { signal }) => work.pause(signal),
      handle: async (all, { signal }) => {
        await work.do(
          all.map(({ record }) => record),
          signal,
        );
        return all.map(() => 'done');
      },
      flush: async (_, { signal }) => {
        await work.pause(signal);
        return {};
      },
    },
  });
}

function lanes(work: Work, ports: ProcessorPorts): ShardProcessor {
  const { auditor, deadLetters, fleet, options, process } = ports;
  return laneProcessor({
    application: application,
    concurrency: 4,
    inFlightMax: 16,
    inFlightBytesMax: 1_000_000,
    deadLetters,
    options,
    clock: process.clock,
    random: fleet.random,
    eachRecord: async (record, context) => {
      const tenure = auditor.tenure(process, context);
      tenure.acts(`handle ${record.position.sequenceNumber.slice(-6)}`);
      await work.do([record], context.signal);
      const put = auditor.shard(record.shardId).at(record.position);
      if (put === undefined) return;
      auditor.handled(put);
      put.safe = true;
    },
  });
}

/** `flushes`: what was processed is durable with the next flush; otherwise it says so itself. */
function watched(ports: ProcessorPorts, inner: ShardProcessor, flushes: boolean): ShardProcessor {
  const { auditor, fleet, process } = ports;
  const of = (context: ShardContext): Tenure => auditor.tenure(process, context);
  return {
    ...optional(inner),
    start: async (start, context) => {
      of(context).started(start);
      await inner.start(start, context);
    },
    process: async (records, context) => {
      const tenure = of(context);
      const [first] = records;
      fleet.note(`${process.id} ${first?.shardId} ${records.length} from ${first?.position.sequenceNumber}`);
      tenure.delivers(records);
      await inner.process(records, context);
      if (flushes) tenure.accepts(records);
      else for (const { position } of records) tenure.passes(position);
    },
    deadLettered: async (record, context) => {
      await inner.deadLettered?.(record, context);
      of(context).passes(record.position);
    },
    flush: async (upTo, context) => {
      const tenure = of(context);
      tenure.acts('flush');
      const state = await inner.flush(upTo, context);
      if (flushes) tenure.flushed();
      return state;
    },
  };
}

/** What a processor may leave out: bound to it, because the loop looks whether it is there. */
function optional(inner: ShardProcessor): Partial<ShardProcessor> {
  const { checkpointed, doneUpTo, idle, shardEnd, stop, wantsCheckpoint } = inner;
  return {
    ...(checkpointed && { checkpointed: checkpointed.bind(inner) }),
    ...(doneUpTo && { doneUpTo: doneUpTo.bind(inner) }),
    ...(idle && { idle: idle.bind(inner) }),
    ...(shardEnd && { shardEnd: shardEnd.bind(inner) }),
    ...(stop && { stop: stop.bind(inner) }),
    ...(wantsCheckpoint && { wantsCheckpoint: wantsCheckpoint.bind(inner) }),
  };
}
