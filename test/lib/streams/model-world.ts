import { createManualClock } from '../../../lib/runtime/manual-clock.ts';
import type { Kinesis, PutOutcome } from '../../../lib/streams/kinesis.ts';
import { createMemoryKinesis, type MemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import { createRandom } from '../../support/random.ts';
import { type Effect, ModelReaders, nameOf, openShards, stream, Tasks, upTo } from './model-readers.ts';

const stepMs = 50;
/** A history takes a few hundred steps; one that needs so many does not end. */
const stepsMax = 20_000;
/** Long enough for every late call to land where a reader still sees it. */
const quietStepsMin = 20;

export interface Differences {
  readonly missing: readonly string[];
  readonly twice: readonly string[];
  /** `source key: position after position`. */
  readonly disordered: readonly string[];
  /** By a reader that begins in the middle of a shard. */
  readonly lostMidway: readonly string[];
}

export const none: Differences = { missing: [], twice: [], disordered: [], lostMidway: [] };

/** A stream on which calls are refused in part, lost on either way, or land late, and its readers. */
export class ModelWorld {
  readonly random: () => number;
  readonly clock = createManualClock({ startMs: 1_000_000 });
  readonly tasks = new Tasks();
  /** For writers: some calls are stored in another order than given. */
  readonly kinesis: Kinesis;
  readonly #memory: MemoryKinesis;
  readonly #readers: ModelReaders;
  #disordering: number;

  constructor(seed: number) {
    this.random = createRandom(seed);
    this.#memory = createMemoryKinesis({ clock: this.clock, random: this.random });
    this.#memory.createStream(stream, this.upTo(2));
    this.#disordering = this.random() * 0.2;
    this.kinesis = { ...this.#memory, put: (name, entries) => this.#put(name, entries) };
    this.#readers = new ModelReaders({
      kinesis: this.#memory,
      clock: this.clock,
      random: this.random,
      tasks: this.tasks,
    });
    this.#plantFaults();
  }

  /**
   * Until all is sent and read. `disturb` is asked once a step while there is something to send. `promised`: what must
   * have its effect in the end; nothing may have it twice, or out of order under its key.
   */
  async run(isSent: () => boolean, disturb: () => void, promised: readonly Effect[]): Promise<Differences> {
    const isOver = (): boolean => isSent() && this.#readers.areThrough();
    let quietSteps = 0;
    for (let step = 0; quietSteps < quietStepsMin || this.tasks.pending > 0 || !isOver(); step += 1) {
      if (step === stepsMax) throw new Error('the history does not end');
      if (this.tasks.failure) throw this.tasks.failure;
      this.#readers.start(isOver);
      if (isSent()) {
        this.#memory.faults.clear();
        this.#disordering = 0;
        quietSteps += 1;
      } else {
        disturb();
        if (this.random() < 0.02) this.#reshard();
      }
      await this.clock.advance(stepMs);
    }
    const lostMidway = this.#readers.lostMidway().map(nameOf);
    return { ...compare(this.#readers.effects(), promised), lostMidway };
  }

  /** 1 … max. */
  upTo(max: number): number {
    return upTo(this.random, max);
  }

  abortSoon(): AbortSignal {
    const abort = new AbortController();
    this.tasks.start(async () => {
      await this.clock.sleep(this.upTo(100));
      abort.abort();
    });
    return abort.signal;
  }

  async #put(name: string, entries: Parameters<Kinesis['put']>[1]): Promise<readonly PutOutcome[]> {
    if (this.random() >= this.#disordering) return this.#memory.put(name, entries);
    const order = entries.map((entry, index) => ({ entry, index, at: this.random() }));
    order.sort((a, b) => a.at - b.at);
    const stored = await this.#memory.put(
      name,
      order.map(({ entry }) => entry),
    );
    return entries.map((_, index) => stored[order.findIndex((moved) => moved.index === index)]!);
  }

  #plantFaults(): void {
    const { faults } = this.#memory;
    const often = this.random() * 0.3;
    const refuses = (): boolean => this.random() < 0.3;
    faults.add({ on: 'put', chance: often, fault: { type: 'refuse-entries', fails: refuses } });
    faults.add({ on: 'put', chance: often, fault: { type: 'drop-response' } });
    faults.add({ on: 'put', chance: often, fault: { type: 'drop-request' } });
    faults.add({ on: 'put', chance: often, fault: { type: 'delay', ms: 400 } });
    faults.add({ on: 'put', chance: often, fault: { type: 'land-late', ms: 700 } });
    faults.add({ on: 'read', chance: often, fault: { type: 'drop-response' } });
  }

  #reshard(): void {
    const open = openShards(this.#memory);
    const at = this.upTo(open.length) - 1;
    const [shard, next] = [open[at], open[at + 1]];
    if (shard && next && this.random() < 0.5) this.#memory.merge(stream, shard, next);
    else if (shard && open.length < 4) this.#memory.split(stream, shard);
  }
}

function compare(effects: readonly Effect[], promised: readonly Effect[]): Omit<Differences, 'lostMidway'> {
  const counts = new Map<string, number>();
  const lastOfKey = new Map<string, bigint>();
  const disordered: string[] = [];
  for (const effect of effects) {
    counts.set(nameOf(effect), (counts.get(nameOf(effect)) ?? 0) + 1);
    const key = `${effect.source} ${effect.key}`;
    const last = lastOfKey.get(key) ?? 0n;
    if (effect.position < last) disordered.push(`${key}: ${effect.position} after ${last}`);
    lastOfKey.set(key, effect.position);
  }
  return {
    missing: promised.map(nameOf).filter((name) => !counts.has(name)),
    twice: [...counts].flatMap(([name, count]) => (count > 1 ? name : [])),
    disordered,
  };
}
