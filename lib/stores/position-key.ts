/** A record's place in its shard; the shape of lib/streams/position.ts, which stores do not know. */
export interface Position {
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
}

/** More digits than any sequence number (56 today) or sub-sequence number has. */
const digits = { sequence: 64, sub: 10 } as const;

/** Positions as texts that sort as positions do. */
export function positionKey({ sequenceNumber, subSequenceNumber }: Position): string {
  const sub = String(subSequenceNumber).padStart(digits.sub, '0');
  return `${sequenceNumber.padStart(digits.sequence, '0')}.${sub}`;
}

/** For people and file names: the sequence number, with the sub-sequence number where there is one. */
export function positionText({ sequenceNumber, subSequenceNumber }: Position): string {
  return subSequenceNumber === 0 ? sequenceNumber : `${sequenceNumber}.${subSequenceNumber}`;
}
