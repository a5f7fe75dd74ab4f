import { PutFailed } from '../../../lib/streams/put-failed.ts';
import { parseStamp } from '../../../lib/streams/stamp.ts';
import { createStampedWriter } from '../../../lib/streams/stamped-writer.ts';
import type { StampedWriter } from '../../../lib/streams/writer.ts';
import { type Effect, stream } from './model-readers.ts';
import { type Differences, ModelWorld } from './model-world.ts';

const limits = { batchRecords: 10, aheadRecords: 15, backoff: { firstMs: 20, maxMs: 100, tries: 2 } };

/**
 * A history in which senders put records through processes that count positions themselves, several puts at a time.
 * A record that failed is given up by all; processes are replaced by others with a new source.
 */
export class CountedHistory {
  readonly #world: ModelWorld;
  readonly #promised: Effect[] = [];
  readonly #keys: number;
  #writer: StampedWriter;
  #process = 0;
  #left: number;

  constructor(seed: number) {
    this.#world = new ModelWorld(seed);
    this.#keys = this.#world.upTo(6);
    this.#left = 20 + this.#world.upTo(40);
    this.#writer = this.#startProcess();
  }

  async run(): Promise<Differences> {
    let open = 0;
    const send = async (): Promise<void> => {
      open += 1;
      this.#left -= 1;
      await this.#send();
      open -= 1;
    };
    const isSent = (): boolean => this.#left === 0 && open === 0;
    const disturb = (): void => {
      if (this.#world.random() < 0.03) this.#writer = this.#startProcess();
      if (this.#left > 0 && this.#world.random() < 0.5) this.#world.tasks.start(send);
    };
    return this.#world.run(isSent, disturb, this.#promised);
  }

  #startProcess(): StampedWriter {
    this.#process += 1;
    const { clock, kinesis, random } = this.#world;
    return createStampedWriter({
      kinesis,
      stream,
      source: `process-${this.#process}`,
      clock,
      random,
      limits,
    });
  }

  async #send(): Promise<void> {
    const sent: Effect[] = [];
    const records = Array.from({ length: this.#world.upTo(12) }, (_, index) => {
      const key = `key-${this.#world.upTo(this.#keys)}`;
      const encode = (text: string): Uint8Array => {
        const { position, source } = parseStamp(text)!;
        sent[index] = { source, position, key };
        return Buffer.from(`${key} ${text}`);
      };
      return { partitionKey: key, encode };
    });
    const signal = this.#world.random() < 0.1 ? this.#world.abortSoon() : undefined;
    const outcomes = await this.#writer.put(records, signal).then(
      () => undefined,
      (error: Error) => {
        if (error instanceof PutFailed) return error.outcomes;
        throw error;
      },
    );
    this.#promised.push(...sent.filter((_, index) => outcomes?.[index]?.ok ?? true));
  }
}
