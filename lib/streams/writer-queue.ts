import type { PutEntry } from './kinesis.ts';
import { flawCodes } from './outgoing-entry.ts';
import type { RecordOutcome, RefusedRecord } from './put-failed.ts';
import type { OutgoingRecord } from './writer.ts';

/** One `put` of a caller: over when all of its records are settled. */
export interface Given {
  readonly records: readonly OutgoingRecord[];
  readonly outcomes: RecordOutcome[];
  readonly signal: AbortSignal | undefined;
  readonly resolve: (outcomes: readonly RecordOutcome[]) => void;
  readonly reject: (error: unknown) => void;
  left: number;
}

/** A record in the queue of a writer. */
export interface Queued {
  /** Records with one key go to one shard and stay in order. */
  readonly key: string;
  readonly record: OutgoingRecord;
  readonly position: bigint;
  readonly given: Given;
  readonly index: number;
  notBeforeMs: number;
  tries: number;
  /** The next try; forgotten after a failure, so that records that wait hold no bytes. */
  entry: PutEntry | undefined;
  /** Why it can never be put. */
  flaw: RefusedRecord | undefined;
  /** It was in a call, so a copy of it may land at any time. */
  sent: boolean;
  /** An earlier record of its source failed while this one was in flight. */
  stop: boolean;
  /** `failed`: settled, yet a copy may land; it holds back its key until the floor has passed it. */
  state: 'waiting' | 'in-flight' | 'settled' | 'failed';
}

export const aborted: RefusedRecord = {
  ok: false,
  code: 'aborted',
  message: 'the caller gave up before it was sent',
};

export const stopped: RefusedRecord = {
  ok: false,
  code: 'stopped',
  message: 'an earlier record of its source failed',
};

export function queued(given: Given, record: OutgoingRecord, index: number, position: bigint): Queued {
  return {
    // Records of one partition key that are sent to different shards have no order; a hash key has no slash.
    key: `${record.explicitHashKey ?? ''}/${record.partitionKey}`,
    record,
    position,
    given,
    index,
    notBeforeMs: 0,
    tries: 0,
    entry: undefined,
    flaw: undefined,
    sent: false,
    stop: false,
    state: 'waiting',
  };
}

/** The sender gives the positions, so that what it puts again has the position it had before. */
export function numbersItself(given: Given): boolean {
  return given.records.some((record) => record.position !== undefined);
}

/** Whether a failed record will be put again under its position. One with a flaw never can be: it is left out. */
export function comesAgain(record: OutgoingRecord, outcome: RefusedRecord): boolean {
  return record.position !== undefined && !flawCodes.has(outcome.code);
}
