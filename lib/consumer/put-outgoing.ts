import { PlatformError } from '../runtime/errors.ts';
import { PutFailed } from '../streams/put-failed.ts';
import type { OutgoingRecord, StampedWriter } from '../streams/writer.ts';

/** Failures that are the record's own fault: trying again cannot help, its place is among the dead letters. */
const faultsOfRecords: ReadonlySet<string> = new Set(['record-too-large', 'bad-key', 'not-encodable']);

/**
 * `writer.put` for a handler: a PutFailed that blames a record becomes an error that is not retryable, so that the loop
 * narrows the batch down to that record; every other failure stays an outage, retried without end.
 */
export async function putOutgoing(
  writer: StampedWriter,
  records: readonly OutgoingRecord[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await writer.put(records, signal);
  } catch (error) {
    const fault =
      error instanceof PutFailed
        ? error.outcomes.find((outcome) => !outcome.ok && faultsOfRecords.has(outcome.code))
        : undefined;
    if (fault === undefined || fault.ok) throw error;
    throw new PlatformError(fault.code, fault.message, { cause: error });
  }
}

/** Waits for every effect, then throws the first failure: nothing is still under way when a batch is tried again. */
export async function settleAll(effects: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(effects);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
