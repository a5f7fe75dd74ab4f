import { createManualClock, type ManualClock } from '../../../lib/runtime/manual-clock.ts';
import { KinesisError } from '../../../lib/streams/kinesis-error.ts';
import type { RawRecord, ReadPage } from '../../../lib/streams/kinesis.ts';
import { createMemoryKinesis, type MemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import type { KeyOrder } from '../../../lib/streams/put-batches.ts';
import { parseStamp } from '../../../lib/streams/stamp.ts';
import { StampReader } from '../../../lib/streams/stamp-reader.ts';
import { createStampedWriter } from '../../../lib/streams/stamped-writer.ts';
import { createRandom } from '../../support/random.ts';

const stream = 'outbound';
const source = 'inbound/shardId-000000000000';
const stepMs = 50;
/** A history takes a few hundred steps; one that needs so many does not end. */
const stepsMax = 20_000;

/** Long enough for every late call to land where a reader still sees it. */
const quietStepsMin = 20;

export interface Differences {
  readonly missing: readonly string[];
  readonly twice: readonly string[];
  /** `key: position after position`. */
  readonly disordered: readonly string[];
}

interface Event {
  readonly position: bigint;
  readonly key: string;
}

/** What a reader of one shard has made durable: a place, what it knows of stamps, and its effects, all at once. */
interface Saved {
  readonly after: string | undefined;
  readonly stamps: Uint8Array;
  readonly effects: readonly Event[];
  readonly ended: boolean;
}

/**
 * A history in which owners of one inbound shard pass its events on to a stream, and one reader per shard of the stream
 * acts on them. Owners crash, are replaced while they still write, and retry what was refused; calls are refused in
 * part, lost on either way, or land late; readers crash and go back to their checkpoint; shards split and merge.
 */
export class OutboundHistory {
  readonly #random: () => number;
  readonly #clock: ManualClock = createManualClock({ startMs: 1_000_000 });
  readonly #kinesis: MemoryKinesis;
  readonly #events: readonly Event[];
  readonly #saved = new Map<string, Saved>();
  readonly #reading = new Set<string>();
  #pending = 0;
  readonly #keyOrder: KeyOrder;
  #checkpoint = 0;
  #owner = 0;
  #failure: Error | undefined;

  constructor(seed: number, keyOrder: KeyOrder) {
    this.#keyOrder = keyOrder;
    this.#random = createRandom(seed);
    this.#kinesis = createMemoryKinesis({ clock: this.#clock, random: this.#random });
    this.#kinesis.createStream(stream, this.#upTo(2));
    const keys = this.#upTo(12);
    this.#events = Array.from({ length: 40 + this.#upTo(160) }, (_, index) => ({
      // With gaps, as sequence numbers have; the rest went to other streams.
      position: BigInt(index + 1) * 3n,
      key: `key-${this.#upTo(keys)}`,
    }));
    this.#plantFaults();
  }

  async run(): Promise<Differences> {
    this.#startOwner();
    let quietSteps = 0;
    for (let step = 0; quietSteps < quietStepsMin || this.#pending > 0 || !this.#settled(); step += 1) {
      if (step === stepsMax) throw new Error('the history does not end');
      if (this.#failure) throw this.#failure;
      this.#startReaders();
      if (this.#checkpoint < this.#events.length) this.#disturb();
      else {
        this.#kinesis.faults.clear();
        quietSteps += 1;
      }
      await this.#clock.advance(stepMs);
    }
    return this.#compare();
  }

  #plantFaults(): void {
    const { faults } = this.#kinesis;
    const often = this.#random() * 0.3;
    const refuses = (): boolean => this.#random() < 0.3;
    faults.add({ on: 'put', chance: often, fault: { type: 'refuse-entries', fails: refuses } });
    faults.add({ on: 'put', chance: often, fault: { type: 'drop-response' } });
    faults.add({ on: 'put', chance: often, fault: { type: 'drop-request' } });
    faults.add({ on: 'put', chance: often, fault: { type: 'delay', ms: 400 } });
    faults.add({ on: 'put', chance: often, fault: { type: 'land-late', ms: 700 } });
    faults.add({ on: 'read', chance: often, fault: { type: 'drop-response' } });
  }

  #disturb(): void {
    // The replaced owner is not told: it goes on until its next checkpoint is refused.
    if (this.#random() < 0.05) this.#startOwner();
    if (this.#random() < 0.02) this.#reshard();
  }

  #reshard(): void {
    const open = openShards(this.#kinesis);
    const at = this.#upTo(open.length) - 1;
    const [shard, next] = [open[at], open[at + 1]];
    if (shard && next && this.#random() < 0.5) this.#kinesis.merge(stream, shard, next);
    else if (shard && open.length < 4) this.#kinesis.split(stream, shard);
  }

  #startOwner(): void {
    this.#owner += 1;
    this.#start(() => this.#passOn(this.#owner));
  }

  /** One owner of the inbound shard, from the checkpoint to the end, its crash or the loss of its right. */
  async #passOn(owner: number): Promise<void> {
    let at = this.#checkpoint;
    const writer = createStampedWriter({
      kinesis: this.#kinesis,
      stream,
      source,
      startFloor: this.#events[at - 1]?.position ?? 0n,
      clock: this.#clock,
      random: this.#random,
      limits: {
        keyOrder: this.#keyOrder,
        batchRecords: 10,
        aheadRecords: 15,
        backoff: { firstMs: 20, maxMs: 100, tries: 3 },
      },
    });
    while (at < this.#events.length) {
      const batch = this.#events.slice(at, at + this.#upTo(25));
      const put = writer.put(
        batch.map(({ position, key }) => ({
          position,
          partitionKey: key,
          encode: (stamp) => Buffer.from(`${key} ${stamp}`),
        })),
        this.#random() < 0.1 ? this.#abortSoon() : undefined,
      );
      const done = await put.then(
        () => true,
        () => false,
      );
      if (this.#random() < 0.03 && owner === this.#owner) return this.#startOwner();
      if (!done) continue;
      if (owner !== this.#owner) return;
      at += batch.length;
      this.#checkpoint = at;
    }
  }

  #abortSoon(): AbortSignal {
    const abort = new AbortController();
    this.#start(async () => {
      await this.#clock.sleep(this.#upTo(100));
      abort.abort();
    });
    return abort.signal;
  }

  #startReaders(): void {
    for (const { shardId, parents } of this.#kinesis.shardsOf(stream)) {
      const ready = parents.every((parent) => this.#saved.get(parent)?.ended);
      if (!ready || this.#reading.has(shardId) || this.#saved.get(shardId)?.ended) continue;
      this.#reading.add(shardId);
      this.#start(async () => {
        try {
          await this.#read(shardId, parents);
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
  async #read(shardId: string, parents: readonly string[]): Promise<void> {
    const saved = this.#saved.get(shardId) ?? this.#born(parents);
    const stamps = StampReader.load(saved.stamps);
    const effects = [...saved.effects];
    let iterator: string | undefined = await this.#kinesis.iterator(stream, shardId, startOf(saved));
    let { after } = saved;
    while (iterator !== undefined && !this.#settled()) {
      const page: ReadPage = await this.#kinesis.read(stream, iterator, this.#upTo(20));
      if (this.#random() < 0.05) return;
      this.#act(page.records, stamps, effects);
      after = page.records.at(-1)?.sequenceNumber ?? after;
      const ended = page.nextIterator === undefined;
      if (ended || this.#random() < 0.5) {
        this.#saved.set(shardId, { after, stamps: stamps.save(), effects: [...effects], ended });
      }
      iterator = page.nextIterator;
      await this.#clock.sleep(this.#upTo(100));
    }
  }

  #act(records: readonly RawRecord[], stamps: StampReader, effects: Event[]): void {
    for (const record of records) {
      const [key = '', text = ''] = Buffer.from(record.data).toString().split(' ');
      const stamp = parseStamp(text);
      if (!stamp) throw new Error(`no stamp in ${text}`);
      if (!stamps.isRepeat(stamp, record.arrivedAtMs)) effects.push({ position: stamp.position, key });
    }
  }

  #born(parents: readonly string[]): Saved {
    const stamps = StampReader.load(undefined);
    for (const parent of parents) stamps.merge(StampReader.load(this.#saved.get(parent)?.stamps));
    return { after: undefined, stamps: stamps.save(), effects: [], ended: false };
  }

  #settled(): boolean {
    if (this.#checkpoint < this.#events.length) return false;
    return openShards(this.#kinesis).every((shardId) => {
      const last = this.#kinesis.recordsOf(stream, shardId).at(-1);
      const saved = this.#saved.get(shardId);
      return saved !== undefined && saved.after === last?.sequenceNumber;
    });
  }

  #compare(): Differences {
    const shards = this.#kinesis
      .shardsOf(stream)
      .map(({ shardId }) => this.#saved.get(shardId)?.effects ?? []);
    const effects = shards.flat();
    const counts = new Map<bigint, number>();
    for (const { position } of effects) counts.set(position, (counts.get(position) ?? 0) + 1);
    const lastOfKey = new Map<string, bigint>();
    const disordered: string[] = [];
    for (const { key, position } of effects) {
      const last = lastOfKey.get(key) ?? 0n;
      if (position < last) disordered.push(`${key}: ${position} after ${last}`);
      lastOfKey.set(key, position);
    }
    const count = ({ position }: Event): number => counts.get(position) ?? 0;
    return {
      missing: this.#events.filter((event) => count(event) === 0).map(({ position }) => String(position)),
      twice: this.#events.filter((event) => count(event) > 1).map(({ position }) => String(position)),
      disordered,
    };
  }

  #start(task: () => Promise<void>): void {
    this.#pending += 1;
    void task()
      .catch((error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.#pending -= 1;
      });
  }

  /** 1 … max. */
  #upTo(max: number): number {
    return 1 + Math.floor(this.#random() * max);
  }
}

function startOf(saved: Saved) {
  return saved.after === undefined
    ? ({ type: 'TRIM_HORIZON' } as const)
    : ({ type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: saved.after } as const);
}

function openShards(kinesis: MemoryKinesis): readonly string[] {
  return kinesis
    .shardsOf(stream)
    .filter((shard) => shard.endingSequenceNumber === undefined)
    .sort((a, b) => (BigInt(a.startingHashKey) < BigInt(b.startingHashKey) ? -1 : 1))
    .map((shard) => shard.shardId);
}
