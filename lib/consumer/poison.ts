import type { DeadLetter } from './dead-letters.ts';
import { failureOf, ShardStopped } from './failures.ts';
import type { ConsumerOptions } from './options.ts';
import type { StreamRecord } from './processor.ts';

/** What becomes of records that cannot be handled; remembers how many came in a row. */
export class PoisonPolicy {
  readonly #application: string;
  readonly #options: ConsumerOptions;
  #inRow = 0;

  constructor(application: string, options: ConsumerOptions) {
    this.#application = application;
    this.#options = options;
  }

  /** Some record was handled. */
  handled(): void {
    this.#inRow = 0;
  }

  /** The letter of a record was written. */
  setAside(): void {
    this.#inRow += 1;
  }

  /** The letter to write for a record; throws ShardStopped where the shard is to stop instead. */
  letterFor(record: StreamRecord, error: unknown, tries: number): DeadLetter {
    const { deadLettersInRowMax, poison } = this.#options;
    const { arrivedAtMs, data, partitionKey, position, shardId, stream } = record;
    const failure = failureOf(error, 'handler-failed');
    const where = `${stream}/${shardId} at ${position.sequenceNumber}.${position.subSequenceNumber}`;
    if (poison === 'stop-shard') {
      const message = `The record of ${where} cannot be handled: ${failure.message}`;
      throw new ShardStopped('poison-record', message, { cause: error });
    }
    if (this.#inRow >= deadLettersInRowMax) {
      const message = `More than ${deadLettersInRowMax} records in a row failed, up to ${where}: ${failure.message}`;
      throw new ShardStopped('dead-letter-limit', message, { cause: error });
    }
    const about = { consumer: this.#application, stream, shardId, ...position, partitionKey, arrivedAtMs };
    return { ...about, data, reason: failure.code, error: failure.message, tries };
  }
}
