import type { Checkpoint, HeldLease } from '../leases/held-lease.ts';
import type { InitialPosition } from '../leases/stream-leases.ts';
import type { ReadFrom } from '../streams/kinesis.ts';
import type { Position } from '../streams/position.ts';
import type { ShardContext, ShardStart } from './processor.ts';
import { withoutReadThrough } from './read-through.ts';

/** The lease as a processor may see it. */
export function contextOf(lease: HeldLease): ShardContext {
  const { fence, lost, shardId, stream } = lease;
  const prepareCheckpoint: ShardContext['prepareCheckpoint'] = (upTo, note) =>
    lease.prepareCheckpoint({ type: 'POSITION', ...upTo }, note);
  return { stream, shardId, fence, signal: lost, prepareCheckpoint };
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
 * Where the first iterator begins. LATEST and AT_TIMESTAMP begin at the time that was pinned when the lease was made.
 * A lease that Java made has no such time: then its workers' rule holds, which is their own setting, and without one
 * they begin at the horizon, where nothing can be missed.
 */
export function readFrom(lease: HeldLease, initial: InitialPosition): ReadFrom {
  const { checkpoint, startAtMs } = lease.taken;
  switch (checkpoint.type) {
    case 'POSITION':
      return { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: checkpoint.sequenceNumber };
    case 'LATEST':
      return startAtMs === undefined ? { type: 'LATEST' } : { type: 'AT_TIMESTAMP', timestampMs: startAtMs };
    case 'AT_TIMESTAMP':
      if (startAtMs !== undefined) return { type: 'AT_TIMESTAMP', timestampMs: startAtMs };
      return initial.type === 'AT_TIMESTAMP' ? initial : { type: 'TRIM_HORIZON' };
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
