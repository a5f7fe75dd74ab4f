import { invalidArgument, notFound } from '../errors.ts';
import {
  formatSequenceNumber,
  parseSequenceNumber,
  shardIdOf,
  shardIndexOf,
} from '../storage/sequence-number.ts';
import type { LogPage } from '../storage/shard-log.ts';
import { isOpen, type ShardState } from '../storage/stream-state.ts';
import type { Stream } from '../storage/stream.ts';
import type { positionTypes } from '../validation/members.ts';
import type { Call } from './call.ts';

export interface StartingPosition {
  readonly type: (typeof positionTypes)[number];
  readonly sequenceNumber: string | undefined;
  readonly timestampMs: number | undefined;
}

/** Throws ResourceNotFoundException. */
export function shardOf(call: Call, stream: Stream, shardId: string): ShardState {
  const index = shardIndexOf(shardId);
  const shard = index === undefined ? undefined : stream.shard(index);
  if (shard) return shard;
  throw notFound(
    `Shard ${shardId} in stream ${stream.state.name} under account ${call.account.identity.accountId} does not exist`,
  );
}

/** The counter from which a reader that starts there gets records. */
export function positionOf(call: Call, stream: Stream, shard: ShardState, start: StartingPosition): number {
  switch (start.type) {
    case 'TRIM_HORIZON':
      return shard.startCounter;
    case 'LATEST':
      return stream.latest;
    case 'AT_TIMESTAMP':
      return positionAtTime(call, stream, shard, start.timestampMs);
    case 'AT_SEQUENCE_NUMBER':
      return counterOf(call, stream, shard, start.sequenceNumber);
    case 'AFTER_SEQUENCE_NUMBER':
      return counterOf(call, stream, shard, start.sequenceNumber) + 1;
  }
}

/** A sequence number between the last record that was read and the next; see sequence-number.ts. */
export function continuationOf(stream: Stream, shardIndex: number, position: number, nowMs: number): string {
  const counter = position % 2 === 0 ? position - 1 : position;
  return formatSequenceNumber({ createdAtMs: stream.createdAtMs, counter, shardIndex }, nowMs);
}

/** Zero when there is nothing more to read now. */
export function millisBehindLatest(page: LogPage, nowMs: number): number {
  return page.atEnd ? 0 : Math.max(0, Math.round(nowMs - (page.lastArrivedAtMs ?? nowMs)));
}

/** What a reader is told at the end of a closed shard. */
export function childShardsOf(stream: Stream, shardIndex: number): readonly object[] {
  return stream.state.shards
    .filter((shard) => shard.parents.includes(shardIndex))
    .map((shard) => ({
      ShardId: shardIdOf(shard.index),
      ParentShards: shard.parents.map(shardIdOf),
      HashKeyRange: { StartingHashKey: shard.startKey, EndingHashKey: shard.endKey },
    }));
}

export function isExhausted(stream: Stream, shardIndex: number, page: LogPage): boolean {
  const shard = stream.shard(shardIndex);
  return page.atEnd && (shard === undefined || !isOpen(shard));
}

function positionAtTime(
  call: Call,
  stream: Stream,
  shard: ShardState,
  timestampMs: number | undefined,
): number {
  if (timestampMs === undefined)
    throw invalidArgument('Must specify timestampInMillis parameter for AT_TIMESTAMP.');
  if (timestampMs > call.nowMs) {
    throw invalidArgument(
      'The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. ' +
        `timestampInMillis: ${timestampMs}, currentTimestampInMillis: ${call.nowMs}`,
    );
  }
  return stream.log(shard.index).firstArrivedFrom(timestampMs) ?? stream.latest;
}

function counterOf(call: Call, stream: Stream, shard: ShardState, given: string | undefined): number {
  if (given === undefined)
    throw invalidArgument('Must specify sequenceNumber parameter for this iterator type.');
  const number = parseSequenceNumber(given);
  if (!number || number.createdAtMs !== stream.createdAtMs || number.counter > stream.latest) {
    throw invalidArgument(
      `StartingSequenceNumber ${given} used in GetShardIterator on shard ${shardIdOf(shard.index)} in stream ` +
        `${stream.state.name} under account ${call.account.identity.accountId} is invalid because it did not come from this stream.`,
    );
  }
  if (number.shardIndex !== shard.index) {
    throw invalidArgument(
      `Invalid StartingSequenceNumber. It encodes ${shardIdOf(number.shardIndex)}, while it was used in a call to ` +
        `a shard with ${shardIdOf(shard.index)}`,
    );
  }
  return number.counter;
}
