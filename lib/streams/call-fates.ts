import type { PutOutcome } from './kinesis.ts';
import { compareSequenceNumbers } from './position.ts';

/**
 * `counts`: on the stream, behind every record of its key that went before. `refused`: not on the stream, the first of
 * its key. `again`: the chain of its key is broken, by a record before it that was refused or that was stored behind
 * it; if it is on the stream, readers drop that copy as early.
 */
export type Fate = 'counts' | 'refused' | 'again';

/**
 * What an answered call means for each of its records. PutRecords stores a record though it refused an earlier one, and
 * promises no order among those it stores (API reference), so the sequence numbers have to prove it.
 */
export function fatesOf(keys: readonly string[], outcomes: readonly PutOutcome[]): readonly Fate[] {
  /** Per key the sequence number that the next one must exceed; undefined once the chain is broken. */
  const chains = new Map<string, string | undefined>();
  return outcomes.map((outcome, index) => {
    const key = keys[index] ?? '';
    const before = chains.get(key);
    const isBroken = before === undefined && chains.has(key);
    if (isBroken) return 'again';
    if (!outcome.ok) {
      chains.set(key, undefined);
      return 'refused';
    }
    const inOrder = before === undefined || compareSequenceNumbers(before, outcome.sequenceNumber) < 0;
    chains.set(key, inOrder ? outcome.sequenceNumber : undefined);
    return inOrder ? 'counts' : 'again';
  });
}
