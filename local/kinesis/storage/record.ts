import type { Batch } from './shard-log.ts';
import { counterDigits, sequencePrefix, sequenceSuffix } from './sequence-number.ts';

const BEYOND_ASCII = /[^\x20-\x7e]/;

/** What all records of one call to one shard have in common. */
export interface BatchHead {
  readonly createdAtMs: number;
  readonly shardIndex: number;
  readonly arrivedAtMs: number;
  readonly encrypted: boolean;
}

/** Collects the records that one call puts on one shard. */
export class BatchBuilder {
  readonly shardIndex: number;
  readonly #arrivedAtMs: number;
  readonly #prefix: string;
  readonly #suffix: string;
  readonly #tail: string;
  readonly #counters: number[] = [];
  readonly #lengths: number[] = [];
  readonly #sizes: number[] = [];
  #text = '';

  constructor(head: BatchHead) {
    this.shardIndex = head.shardIndex;
    this.#arrivedAtMs = head.arrivedAtMs;
    this.#prefix = sequencePrefix(head.createdAtMs);
    this.#suffix = sequenceSuffix(head.arrivedAtMs, head.shardIndex);
    this.#tail = `,"ApproximateArrivalTimestamp":${head.arrivedAtMs / 1000}${head.encrypted ? ',"EncryptionType":"KMS"' : ''}}`;
  }

  /** `data` is base64 that was checked before; it is kept as it came. Returns the sequence number. */
  add(counter: number, partitionKey: string, data: string, size: number): string {
    const sequenceNumber = this.#prefix + counterDigits(counter) + this.#suffix;
    const key = asciiJson(partitionKey);
    const fragment = `,{"SequenceNumber":"${sequenceNumber}","Data":"${data}","PartitionKey":${key}${this.#tail}`;
    this.#text += fragment;
    this.#counters.push(counter);
    this.#lengths.push(fragment.length);
    this.#sizes.push(size);
    return sequenceNumber;
  }

  build(): Batch {
    return {
      arrivedAtMs: this.#arrivedAtMs,
      counters: this.#counters,
      lengths: this.#lengths,
      sizes: this.#sizes,
      bytes: Buffer.from(this.#text, 'latin1'),
    };
  }
}

/** JSON in which every character is one byte, so that a fragment's length in bytes is its length as text. */
function asciiJson(text: string): string {
  const json = JSON.stringify(text);
  if (!BEYOND_ASCII.test(json)) return json;
  return json.replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
