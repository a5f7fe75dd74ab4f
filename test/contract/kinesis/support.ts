import type { KinesisError } from '../../../lib/streams/kinesis-error.ts';
import type { Kinesis, PutEntry, RawRecord, ReadFrom } from '../../../lib/streams/kinesis.ts';

/** An adapter of the Kinesis port, with what the suite needs to do to its streams. */
export interface KinesisUnderTest {
  readonly kinesis: Kinesis;
  /** A fresh stream that is ready; returns its name. */
  readonly createStream: (shards: number) => Promise<string>;
  /** In the middle of the range; returns when the stream is ready again. */
  readonly split: (stream: string, shardId: string) => Promise<void>;
  readonly merge: (stream: string, shardId: string, adjacentShardId: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Why the adapter cannot be tried here. */
export interface Skip {
  readonly skip: string;
}

/** What someone else's stand-in is known not to do; the cases are skipped by name, for everyone to see. */
export type Lack =
  | 'fan-out'
  | 'child-shards'
  | 'shard-filter'
  | 'explicit-hash-key'
  | 'bad-position'
  | 'resharding';

export type Suite = (under: () => KinesisUnderTest, rule: Rule) => void;
export type Rule = (sentence: string, test: () => Promise<void>, needs?: Lack) => unknown;

export const firstShardId = 'shardId-000000000000';
/** Reads of a tip that stay empty; more than any adapter needs to come to it. */
const emptyReadsMax = 5;

export function entry(partitionKey: string, text: string): PutEntry {
  return { partitionKey, data: Buffer.from(text) };
}

export function numbered(count: number): readonly PutEntry[] {
  return range(0, count).map((text) => entry(`key-${text}`, text));
}

export function range(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => String(from + index));
}

export function texts(records: readonly RawRecord[]): string[] {
  return records.map((record) => Buffer.from(record.data).toString());
}

export function sequenceOf(outcome: { readonly ok: boolean; readonly sequenceNumber?: string }): string {
  return outcome.sequenceNumber ?? '';
}

export async function readAll(
  kinesis: Kinesis,
  stream: string,
  shardId: string,
  from: ReadFrom = { type: 'TRIM_HORIZON' },
): Promise<readonly RawRecord[]> {
  return readOn(kinesis, stream, await kinesis.iterator(stream, shardId, from));
}

export async function readOn(
  kinesis: Kinesis,
  stream: string,
  iterator: string,
): Promise<readonly RawRecord[]> {
  const records: RawRecord[] = [];
  let next: string | undefined = iterator;
  for (let empty = 0; next !== undefined && empty < emptyReadsMax; ) {
    const page = await kinesis.read(stream, next, 1_000);
    records.push(...page.records);
    empty = page.records.length > 0 ? 0 : empty + 1;
    next = page.nextIterator;
  }
  return records;
}

export async function readToEnd(kinesis: Kinesis, stream: string, shardId: string) {
  const records: RawRecord[] = [];
  let next: string | undefined = await kinesis.iterator(stream, shardId, { type: 'TRIM_HORIZON' });
  for (let reads = 0; reads < 20; reads += 1) {
    const page = await kinesis.read(stream, next, 1_000);
    records.push(...page.records);
    if (page.nextIterator === undefined) return { records, end: page };
    next = page.nextIterator;
  }
  throw new Error(`${shardId} did not end`);
}

export async function codeOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error('did not fail'),
    (thrown: unknown) => thrown,
  );
  return (error as KinesisError).code;
}
