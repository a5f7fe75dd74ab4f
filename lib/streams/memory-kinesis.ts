import type { Clock } from '../runtime/clock.ts';
import { KinesisError } from './kinesis-error.ts';
import type {
  Kinesis,
  PutEntry,
  PutOutcome,
  RawRecord,
  ReadPage,
  Shard,
  StreamDescription,
} from './kinesis.ts';
import { FaultPlan, type Faults, refusedEntry } from './memory-faults.ts';
import { MemoryStream } from './memory-stream.ts';
import { Subscriptions } from './memory-subscriptions.ts';
import { batchBytesMax, batchRecordsMax, entryBytes } from './put-batches.ts';

/** An iterator is good for five minutes (API reference, GetShardIterator). */
const iteratorMs = 300_000;
const readRecordsMax = 10_000;
const accountId = '000000000000';

export interface MemoryKinesisOptions {
  readonly clock: Clock;
  /** Decides whether faults with a `chance` strike; in [0, 1). A seeded one makes a history repeatable. */
  readonly random?: () => number;
  readonly retentionHours?: number;
  readonly maxRecordBytes?: number;
}

/** What only a test may do to a stream. */
export interface MemoryKinesisAdmin {
  readonly createStream: (name: string, shards: number) => void;
  /** The ids of the two children; `at` is the first hash key of the second, the middle by default. */
  readonly split: (stream: string, shardId: string, at?: bigint) => readonly string[];
  readonly merge: (stream: string, shardId: string, adjacentShardId: string) => string;
  /** Forgets the records of a shard before a sequence number, as if their retention were over. */
  readonly trim: (stream: string, shardId: string, beforeSequence: string) => void;
  readonly setRetention: (stream: string, hours: number) => void;
  /** No iterator given out so far is good any more. */
  readonly expireIterators: () => void;
  /** Ends every running subscription with `kinesis-unavailable`. */
  readonly cutSubscriptions: () => void;
  readonly shardsOf: (stream: string) => readonly Shard[];
  readonly recordsOf: (stream: string, shardId: string) => readonly RawRecord[];
  readonly faults: Faults;
}

export type MemoryKinesis = Kinesis & MemoryKinesisAdmin;

/** Stream, shard, place, time of issue, generation. */
const iteratorPattern = /^(\S+) (\S+) (\d+) (\d+) (\d+)$/;

/**
 * Kinesis Data Streams in memory, for tests: the same verbs and errors as the service, time only by the given
 * clock, chance only by the given random source. Without faults every call succeeds at its next turn.
 */
export function createMemoryKinesis(options: MemoryKinesisOptions): MemoryKinesis {
  return new InMemory(options);
}

class InMemory implements MemoryKinesis {
  readonly faults: FaultPlan;
  readonly #options: MemoryKinesisOptions;
  readonly #clock: Clock;
  readonly #streams = new Map<string, MemoryStream>();
  readonly #subscriptions: Subscriptions;
  #generation = 0;

  constructor(options: MemoryKinesisOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.faults = new FaultPlan(options.clock, options.random ?? (() => 0));
    this.#subscriptions = new Subscriptions(options.clock);
  }

  readonly createStream: MemoryKinesisAdmin['createStream'] = (name, shards) => {
    if (this.#streams.has(name)) throw new KinesisError('resource-in-use', `Stream ${name} exists`);
    const retentionHours = this.#options.retentionHours ?? 24;
    this.#streams.set(name, new MemoryStream(name, shards, retentionHours, this.#clock.now()));
  };

  readonly split: MemoryKinesisAdmin['split'] = (stream, shardId, at) => {
    const children = this.#stream(stream).split(shardId, at, this.#clock.now());
    this.#subscriptions.wake(stream);
    return children;
  };

  readonly merge: MemoryKinesisAdmin['merge'] = (stream, shardId, adjacentShardId) => {
    const child = this.#stream(stream).merge(shardId, adjacentShardId, this.#clock.now());
    this.#subscriptions.wake(stream);
    return child;
  };

  readonly trim: MemoryKinesisAdmin['trim'] = (stream, shardId, beforeSequence) =>
    this.#stream(stream).trim(shardId, beforeSequence);

  readonly setRetention: MemoryKinesisAdmin['setRetention'] = (stream, hours) => {
    this.#stream(stream).retentionHours = hours;
  };

  readonly expireIterators = (): void => {
    this.#generation += 1;
  };

  readonly cutSubscriptions = (): void => this.#subscriptions.cut();

  readonly shardsOf: MemoryKinesisAdmin['shardsOf'] = (stream) =>
    this.#stream(stream).listShards(undefined, this.#clock.now());

  readonly recordsOf: MemoryKinesisAdmin['recordsOf'] = (stream, shardId) =>
    this.#stream(stream).recordsOf(shardId);

  readonly describe: Kinesis['describe'] = (stream, signal) =>
    this.faults.run('describe', stream, signal, (): StreamDescription => {
      const found = this.#stream(stream);
      return {
        name: stream,
        arn: `arn:aws:kinesis:local:${accountId}:stream/${stream}`,
        accountId,
        createdAtMs: found.createdAtMs,
        retentionHours: found.retentionHours,
        status: 'ACTIVE',
        openShards: found.openShards(),
        maxRecordBytes: this.#maxRecordBytes(),
        nowMs: this.#clock.now(),
      };
    });

  readonly listShards: Kinesis['listShards'] = (stream, filter, signal) =>
    this.faults.run('listShards', stream, signal, () =>
      this.#stream(stream).listShards(filter, this.#clock.now()),
    );

  readonly iterator: Kinesis['iterator'] = (stream, shardId, from, signal) =>
    this.faults.run('iterator', stream, signal, () => {
      const place = this.#stream(stream).place(shardId, from, this.#clock.now());
      return this.#encode(stream, shardId, place);
    });

  readonly read: Kinesis['read'] = (stream, iterator, limit, signal) =>
    this.faults.run('read', stream, signal, (): ReadPage => {
      if (limit < 1 || limit > readRecordsMax) {
        throw new KinesisError('invalid-argument', `Limit ${limit}: give 1 … ${readRecordsMax}`);
      }
      const { shardId, place } = this.#decode(stream, iterator);
      const slice = this.#stream(stream).slice(shardId, place, limit, this.#clock.now());
      const { records, millisBehindLatest, childShards, next } = slice;
      return {
        records,
        millisBehindLatest,
        childShards,
        ...(next !== undefined && { nextIterator: this.#encode(stream, shardId, next) }),
      };
    });

  readonly put: Kinesis['put'] = (stream, entries, signal) =>
    this.faults.run('put', stream, signal, (refused) => {
      const found = this.#stream(stream);
      this.#checkBatch(entries);
      const nowMs = this.#clock.now();
      const outcomes = entries.map(
        (entry, index): PutOutcome =>
          refused(index, entry.partitionKey) ? refusedEntry : { ok: true, ...found.append(entry, nowMs) },
      );
      this.#subscriptions.wake(stream);
      return outcomes;
    });

  readonly registerConsumer: Kinesis['registerConsumer'] = (stream, name, signal) =>
    this.faults.run('registerConsumer', stream, signal, () => {
      this.#stream(stream);
      return this.#subscriptions.register(
        stream,
        `arn:aws:kinesis:local:${accountId}:stream/${stream}`,
        name,
      );
    });

  readonly subscribe: Kinesis['subscribe'] = (consumerArn, shardId, from, signal, room) => {
    const name = this.#subscriptions.streamOf(consumerArn);
    const opened = this.faults.run('subscribe', name, signal, () => {
      const stream = this.#stream(name);
      const place = stream.place(shardId, from, this.#clock.now());
      return this.#subscriptions.open({ consumerArn, stream, shardId, place, signal, room });
    });
    return followed(opened);
  };

  #stream(name: string): MemoryStream {
    const stream = this.#streams.get(name);
    if (!stream) throw new KinesisError('stream-not-found', `There is no stream ${name}`);
    return stream;
  }

  #maxRecordBytes(): number {
    return this.#options.maxRecordBytes ?? 1_048_576;
  }

  #checkBatch(entries: readonly PutEntry[]): void {
    const sizes = entries.map(entryBytes);
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
    const tooLong = Math.max(...sizes) > this.#maxRecordBytes();
    if (entries.length === 0 || entries.length > batchRecordsMax || tooLong) {
      throw new KinesisError('invalid-argument', `A put of ${entries.length} records, ${total} bytes`);
    }
    if (total > batchBytesMax && entries.length > 1) {
      throw new KinesisError('invalid-argument', `A put of ${total} bytes: at most ${batchBytesMax}`);
    }
  }

  #encode(stream: string, shardId: string, place: bigint): string {
    return [stream, shardId, place, this.#clock.now(), this.#generation].join(' ');
  }

  #decode(stream: string, iterator: string): { readonly shardId: string; readonly place: bigint } {
    const [, of, shardId, place = '', issuedAtMs, generation] = iteratorPattern.exec(iterator) ?? [];
    if (of !== stream || shardId === undefined) {
      throw new KinesisError('invalid-argument', `"${iterator}" is not an iterator of stream ${stream}`);
    }
    const old = this.#clock.now() - Number(issuedAtMs) >= iteratorMs;
    if (old || Number(generation) !== this.#generation) {
      throw new KinesisError('iterator-expired', `The iterator of ${shardId} has expired`);
    }
    return { shardId, place: BigInt(place) };
  }
}

async function* followed<T>(opened: Promise<AsyncIterable<T>>): AsyncGenerator<T> {
  yield* await opened;
}
