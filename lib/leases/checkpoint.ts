import { compareSequenceNumbers } from '../streams/position.ts';
import type { Checkpoint } from './held-lease.ts';

/** Order of the sentinels around every position; source: the Java KCL's ExtendedSequenceNumber. */
const rank = { AT_TIMESTAMP: 0, TRIM_HORIZON: 1, LATEST: 2, POSITION: 3, SHARD_END: 4 } as const;

export function compareCheckpoints(a: Checkpoint, b: Checkpoint): number {
  if (a.type !== 'POSITION' || b.type !== 'POSITION') return rank[a.type] - rank[b.type];
  const bySequence = compareSequenceNumbers(a.sequenceNumber, b.sequenceNumber);
  return bySequence === 0 ? a.subSequenceNumber - b.subSequenceNumber : bySequence;
}

/** Nobody has read past the point where the lease was created. */
export function isInitial(checkpoint: Checkpoint): boolean {
  return rank[checkpoint.type] < rank.POSITION;
}

/** The text and number of the item's `checkpoint` and `checkpointSubSequenceNumber`. */
export function checkpointText(checkpoint: Checkpoint): { readonly text: string; readonly sub: number } {
  return checkpoint.type === 'POSITION'
    ? { text: checkpoint.sequenceNumber, sub: checkpoint.subSequenceNumber }
    : { text: checkpoint.type, sub: 0 };
}

/** Undefined where the text is neither a sentinel nor a sequence number. */
export function parseCheckpoint(text: string, sub: number): Checkpoint | undefined {
  switch (text) {
    case 'TRIM_HORIZON':
    case 'LATEST':
    case 'AT_TIMESTAMP':
    case 'SHARD_END':
      return { type: text };
    default:
      return /^(0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(sub) && sub >= 0
        ? { type: 'POSITION', sequenceNumber: text, subSequenceNumber: sub }
        : undefined;
  }
}

/** One text per checkpoint: the mark by which saved state proves that it belongs to the item's checkpoint. */
export function checkpointMark(checkpoint: Checkpoint): string {
  const { text, sub } = checkpointText(checkpoint);
  return sub === 0 ? text : `${text}/${sub}`;
}
