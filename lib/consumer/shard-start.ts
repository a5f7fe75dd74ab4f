import type { Checkpoint, HeldLease } from '../leases/held-lease.ts';
import type { ReadFrom } from '../streams/kinesis.ts';
import type { Position } from '../streams/position.ts';
import type { ShardContext, ShardStart } from './processor.ts';
import { withoutReadThrough } from './read-through.ts';

/** The lease as a processor may see it. */
export function contextOf(lease: HeldLease): ShardContext {
  const { fence, lost, shardId, stream, verify } = lease;
  const prepareCheckpoint: ShardContext['prepareCheckpoint'] = (upTo, note) =>
    lease.prepareCheckpoint({ type: 'POSITION', ...upTo }, note);
  return { stream, shardId, fence, signal: lost, verify, prepareCheckpoint };
}

/** What a processor starts from. */
export function startOf(lease: HeldLease): ShardStart {
  const { checkpoint, parents, pending, state } = lease.taken;
  return {
    checkpoint: positionOf(checkpoint),
    state: withoutReadThrough(state),
    parents,
    pending: pending && { upTo: withoutType(pending.checkpoint), note: pending.note },
  };
}

export function positionOf(checkpoint: Checkpoint): Position | undefined {
  return checkpoint.type === 'POSITION' ? withoutType(checkpoint) : undefined;
}

/**
 * Where the first iterator begins. Without a time for LATEST it is Kinesis's own LATEST; without one for AT_TIMESTAMP
 * the horizon, where nothing can be missed. Both are leases that Java made.
 */
export function readFrom({ checkpoint, startAtMs }: HeldLease['taken']): ReadFrom {
  switch (checkpoint.type) {
    case 'POSITION':
      return { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: checkpoint.sequenceNumber };
    case 'LATEST':
      return startAtMs === undefined ? { type: 'LATEST' } : { type: 'AT_TIMESTAMP', timestampMs: startAtMs };
    case 'AT_TIMESTAMP':
      return startAtMs === undefined
        ? { type: 'TRIM_HORIZON' }
        : { type: 'AT_TIMESTAMP', timestampMs: startAtMs };
    case 'TRIM_HORIZON':
    case 'SHARD_END':
      return { type: 'TRIM_HORIZON' };
  }
}

/** For people. */
export function describeCheckpoint(checkpoint: Checkpoint): string {
  if (checkpoint.type !== 'POSITION') return checkpoint.type;
  return `${checkpoint.sequenceNumber}.${checkpoint.subSequenceNumber}`;
}

function withoutType(at: Position): Position {
  return { sequenceNumber: at.sequenceNumber, subSequenceNumber: at.subSequenceNumber };
}
