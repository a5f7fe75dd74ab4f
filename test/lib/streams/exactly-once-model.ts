import { createStampedWriter } from '../../../lib/streams/stamped-writer.ts';
import { type Effect, stream } from './model-readers.ts';
import { type Differences, ModelWorld } from './model-world.ts';

const source = 'inbound/shardId-000000000000';
const limits = { batchRecords: 10, aheadRecords: 15, backoff: { firstMs: 20, maxMs: 100, tries: 3 } };

/**
 * A history in which owners of one inbound shard pass its events on to a stream, under positions of their own. Owners
 * crash, are replaced while they still write, and put again what was refused.
 */
export class OutboundHistory {
  readonly #world: ModelWorld;
  readonly #events: readonly Effect[];
  #checkpoint = 0;
  #owner = 0;

  constructor(seed: number) {
    this.#world = new ModelWorld(seed);
    const keys = this.#world.upTo(12);
    this.#events = Array.from({ length: 40 + this.#world.upTo(160) }, (_, index) => ({
      source,
      // With gaps, as sequence numbers have; the rest went to other streams.
      position: BigInt(index + 1) * 3n,
      key: `key-${this.#world.upTo(keys)}`,
    }));
  }

  async run(): Promise<Differences> {
    this.#startOwner();
    const isSent = (): boolean => this.#checkpoint === this.#events.length;
    // The replaced owner is not told: it goes on until its next checkpoint is refused.
    const disturb = (): void => {
      if (this.#world.random() < 0.05) this.#startOwner();
    };
    return this.#world.run(isSent, disturb, this.#events);
  }

  #startOwner(): void {
    this.#owner += 1;
    this.#world.tasks.start(() => this.#passOn(this.#owner));
  }

  /** One owner of the inbound shard, from the checkpoint to the end, its crash or the loss of its right. */
  async #passOn(owner: number): Promise<void> {
    const { clock, kinesis, random } = this.#world;
    let at = this.#checkpoint;
    const startFloor = this.#events[at - 1]?.position ?? 0n;
    const writer = createStampedWriter({ kinesis, stream, source, startFloor, clock, random, limits });
    while (at < this.#events.length) {
      const batch = this.#events.slice(at, at + this.#world.upTo(25));
      const put = writer.put(
        batch.map(({ position, key }) => ({
          position,
          partitionKey: key,
          encode: (stamp) => Buffer.from(`${key} ${stamp}`),
        })),
        random() < 0.1 ? this.#world.abortSoon() : undefined,
      );
      const done = await put.then(
        () => true,
        () => false,
      );
      if (random() < 0.03 && owner === this.#owner) return this.#startOwner();
      if (!done) continue;
      if (owner !== this.#owner) return;
      at += batch.length;
      this.#checkpoint = at;
    }
  }
}
