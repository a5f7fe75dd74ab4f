/** Where a user record lies in its shard; `subSequenceNumber` counts inside a KPL aggregate, otherwise 0. */
export interface Position {
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
}

export function comparePositions(a: Position, b: Position): number {
  return (
    compareSequenceNumbers(a.sequenceNumber, b.sequenceNumber) || a.subSequenceNumber - b.subSequenceNumber
  );
}

/** Sequence numbers are decimal texts without leading zeros: the longer is larger, equal lengths compare as text. */
export function compareSequenceNumbers(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
