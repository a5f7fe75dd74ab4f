import type { ClockView } from '../../../lib/runtime/manual-clock.ts';
import { KinesisError } from '../../../lib/streams/kinesis-error.ts';
import type { Kinesis, ReadPage } from '../../../lib/streams/kinesis.ts';
import type { FaultRule } from '../../../lib/streams/memory-faults.ts';
import type { MemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import { requestMs } from '../faulty-line.ts';

export interface KinesisLine {
  readonly own: ClockView;
  readonly cut: () => boolean;
  readonly random: () => number;
  /** Chance of each oddity of the service. */
  readonly oddity: () => number;
}

/** What the service does to everybody's calls for a while. */
export const spells: readonly (readonly FaultRule[])[] = [
  [],
  [{ on: 'read', chance: 0.5, fault: { type: 'throttle' } }],
  [{ chance: 0.2, fault: { type: 'drop-request' } }],
  [{ chance: 0.2, fault: { type: 'drop-response' } }],
  [
    { on: 'listShards', fault: { type: 'throttle' } },
    { on: 'read', chance: 0.3, fault: { type: 'delay', ms: 4_000 } },
  ],
];

/** A spell over reading calls; puts are spared, because the truth is written down as they return. */
export function cast(kinesis: MemoryKinesis, spell: readonly FaultRule[]): void {
  kinesis.faults.clear();
  for (const rule of spell) {
    for (const on of rule.on ? [rule.on] : (['iterator', 'read', 'listShards', 'subscribe'] as const)) {
      kinesis.faults.add({ ...rule, on });
    }
  }
}

/** The way from one process to Kinesis: nothing reaches a frozen process, and the service has its oddities. */
export function faultyKinesis(kinesis: Kinesis, line: KinesisLine): Kinesis {
  const oddities = new Oddities(line);
  const reach = async (signal?: AbortSignal): Promise<void> => {
    if (!line.cut()) return;
    await line.own.sleep(requestMs, signal);
    throw new KinesisError('kinesis-unavailable', 'simulated: no way to Kinesis');
  };
  const thawed = async (): Promise<void> => {
    if (line.own.frozen()) await line.own.sleep(0);
  };
  const call = async <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    await reach(signal);
    try {
      return await work();
    } finally {
      await thawed();
    }
  };
  return {
    describe: (stream, signal) => call(() => kinesis.describe(stream, signal), signal),
    listShards: (stream, filter, signal) => call(() => kinesis.listShards(stream, filter, signal), signal),
    iterator: (stream, shardId, from, signal) =>
      call(async () => {
        if (line.random() < line.oddity())
          throw new KinesisError('shard-not-found', 'simulated: not yet known');
        return kinesis.iterator(stream, shardId, from, signal);
      }, signal),
    read: (stream, iterator, limit, signal) =>
      call(async () => oddities.page(await kinesis.read(stream, iterator, limit, signal), iterator), signal),
    put: (stream, entries, signal) => call(() => kinesis.put(stream, entries, signal), signal),
    registerConsumer: (stream, name, signal) =>
      call(() => kinesis.registerConsumer(stream, name, signal), signal),
    subscribe: async function* (consumerArn, shardId, from, signal, room) {
      await reach(signal);
      for await (const page of kinesis.subscribe(consumerArn, shardId, from, signal, room)) {
        await thawed();
        // A dead connection says nothing at all.
        while (line.cut() && !signal.aborted) await line.own.sleep(requestMs, signal);
        yield page;
      }
      await thawed();
    },
  };
}

/** A page that says nothing, or one that looks like the end of the shard: both have been seen of the service. */
class Oddities {
  readonly #line: KinesisLine;
  /** Shards whose last page was odd: the service does not do it twice in a row. */
  readonly #odd = new Set<string>();

  constructor(line: KinesisLine) {
    this.#line = line;
  }

  page(page: ReadPage, iterator: string): ReadPage {
    const [, shardId = ''] = iterator.split(' ');
    const { oddity, random } = this.#line;
    const chance = oddity();
    const drawn = random();
    if (drawn >= 2 * chance || this.#odd.delete(shardId)) return page;
    this.#odd.add(shardId);
    return drawn < chance
      ? { records: [], nextIterator: iterator, millisBehindLatest: 1_000, childShards: [] }
      : { records: [], millisBehindLatest: 0, childShards: [] };
  }
}
