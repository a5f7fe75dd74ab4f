import type { StreamRecord } from '../consumer/processor.ts';

export type Position = StreamRecord['position'];

/** More digits than any sequence number (56 today) or sub-sequence number has. */
const digits = { sequence: 64, sub: 10 } as const;

/** Positions as texts that sort as positions do. */
export function positionKey({ sequenceNumber, subSequenceNumber }: Position): string {
  const sub = String(subSequenceNumber).padStart(digits.sub, '0');
  return `${sequenceNumber.padStart(digits.sequence, '0')}.${sub}`;
}
