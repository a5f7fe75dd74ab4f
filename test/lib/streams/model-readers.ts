import type { Clock } from '../../../lib/runtime/clock.ts';
import { KinesisError } from '../../../lib/streams/kinesis-error.ts';
import type { RawRecord, ReadFrom, ReadPage } from '../../../lib/streams/kinesis.ts';
import type { MemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import { parseStamp } from '../../../lib/streams/stamp.ts';
import { StampReader } from '../../../lib/streams/stamp-reader.ts';

export const stream = 'outbound';

/** An event as a reader took it, or as its sender gave it. */
export interface Effect {
  readonly source: string;
  readonly position: bigint;
  readonly key: string;
  /** Where the copy lies that a reader acted on. */
  readonly at?: string;
}

/** What a reader of one shard has made durable: a place, what it knows of stamps, and its effects, all at once. */
interface Saved {
  readonly after: string | undefined;
  readonly stamps: Uint8Array;
  readonly effects: readonly Effect[];
  readonly ended: boolean;
}

/** Work that goes on beside the history; a failure of any of it is a failure of the history. */
export class Tasks {
  pending = 0;
  failure: Error | undefined;

  start(task: () => Promise<void>): void {
    this.pending += 1;
    void task()
      .catch((error: unknown) => {
        this.failure = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.pending -= 1;
      });
  }
}

interface World {
  readonly kinesis: MemoryKinesis;
  readonly clock: Clock;
  readonly random: () => number;
  readonly tasks: Tasks;
}

/** One reader per shard, children after their parents; each crashes now and then and goes back to its checkpoint. */
export class ModelReaders {
  readonly #world: World;
  readonly #saved = new Map<string, Saved>();
  readonly #reading = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Every record of every open shard was read and saved. */
  areThrough(): boolean {
    const { kinesis } = this.#world;
    return openShards(kinesis).every((shardId) => {
      const last = kinesis.recordsOf(stream, shardId).at(-1);
      const saved = this.#saved.get(shardId);
      return saved !== undefined && saved.after === last?.sequenceNumber;
    });
  }

  /** In the order in which they happened, per shard and from parents to children. */
  effects(): readonly Effect[] {
    const shards = this.#world.kinesis.shardsOf(stream);
    return shards.flatMap(({ shardId }) => this.#saved.get(shardId)?.effects ?? []);
  }

  /** What readers that begin somewhere in the middle of each shard do not act on, though it lies there for them. */
  lostMidway(): readonly Effect[] {
    const { kinesis, random } = this.#world;
    return kinesis.shardsOf(stream).flatMap(({ shardId }) => {
      const records = kinesis.recordsOf(stream, shardId);
      const behind = records.slice(Math.floor(random() * records.length));
      const stamps = StampReader.load(undefined);
      stamps.missed();
      const taken: Effect[] = [];
      act(behind, stamps, taken);
      const places = new Set(behind.map(({ sequenceNumber }) => sequenceNumber));
      const names = new Set(taken.map(nameOf));
      const all = this.#saved.get(shardId)?.effects ?? [];
      return all.filter((effect) => places.has(effect.at ?? '') && !names.has(nameOf(effect)));
    });
  }

  /** Starts those that are not reading; `isOver` ends them. */
  start(isOver: () => boolean): void {
    for (const { shardId, parents } of this.#world.kinesis.shardsOf(stream)) {
      const ready = parents.every((parent) => this.#saved.get(parent)?.ended);
      if (!ready || this.#reading.has(shardId) || this.#saved.get(shardId)?.ended) continue;
      this.#reading.add(shardId);
      this.#world.tasks.start(async () => {
        try {
          await this.#read(shardId, parents, isOver);
        } catch (error) {
          // A lost answer is a crash here: the reader comes back from its checkpoint.
          if (!(error instanceof KinesisError)) throw error;
        } finally {
          this.#reading.delete(shardId);
        }
      });
    }
  }

  /** One reader of one shard, from its checkpoint until it crashes or the shard ends. */
  async #read(shardId: string, parents: readonly string[], isOver: () => boolean): Promise<void> {
    const { clock, kinesis, random } = this.#world;
    const saved = this.#saved.get(shardId) ?? this.#born(parents);
    const stamps = StampReader.load(saved.stamps);
    const effects = [...saved.effects];
    let iterator: string | undefined = await kinesis.iterator(stream, shardId, startOf(saved));
    let { after } = saved;
    while (iterator !== undefined && !isOver()) {
      const page: ReadPage = await kinesis.read(stream, iterator, upTo(random, 20));
      if (random() < 0.05) return;
      act(page.records, stamps, effects);
      after = page.records.at(-1)?.sequenceNumber ?? after;
      const ended = page.nextIterator === undefined;
      if (ended || random() < 0.5) {
        this.#saved.set(shardId, { after, stamps: stamps.save(), effects: [...effects], ended });
      }
      iterator = page.nextIterator;
      await clock.sleep(upTo(random, 100));
    }
  }

  #born(parents: readonly string[]): Saved {
    const stamps = StampReader.load(undefined);
    for (const parent of parents) stamps.merge(StampReader.load(this.#saved.get(parent)?.stamps));
    return { after: undefined, stamps: stamps.save(), effects: [], ended: false };
  }
}

/** The text of a record: `key stamp`. */
function act(records: readonly RawRecord[], stamps: StampReader, effects: Effect[]): void {
  for (const record of records) {
    const [key = '', text = ''] = Buffer.from(record.data).toString().split(' ');
    const stamp = parseStamp(text);
    if (!stamp) throw new Error(`no stamp in ${text}`);
    const { source, position } = stamp;
    if (stamps.judge(stamp, record.arrivedAtMs) === 'new') {
      effects.push({ source, position, key, at: record.sequenceNumber });
    }
  }
}

/** 1 … max. */
export function upTo(random: () => number, max: number): number {
  return 1 + Math.floor(random() * max);
}

export function openShards(kinesis: MemoryKinesis): readonly string[] {
  return kinesis
    .shardsOf(stream)
    .filter((shard) => shard.endingSequenceNumber === undefined)
    .sort((a, b) => (BigInt(a.startingHashKey) < BigInt(b.startingHashKey) ? -1 : 1))
    .map((shard) => shard.shardId);
}

function startOf(saved: Saved): ReadFrom {
  return saved.after === undefined
    ? { type: 'TRIM_HORIZON' }
    : { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: saved.after };
}

export function nameOf({ position, source }: Effect): string {
  return `${source} ${position}`;
}
