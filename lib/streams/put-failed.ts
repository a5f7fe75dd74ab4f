import { PlatformError } from '../runtime/errors.ts';
import type { PutReceipt } from './writer.ts';

/**
 * `code`: the service's for the last try (`ProvisionedThroughputExceededException`, …), a KinesisErrorCode,
 * `record-too-large`, `bad-key`, `not-encodable` (these never can be put), `aborted`, or `stopped`: an
 * earlier record that its sender numbers itself failed, so both come again.
 */
export interface RefusedRecord {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
}

export type RecordOutcome = { readonly ok: true; readonly receipt: PutReceipt } | RefusedRecord;

/** Some records of a `put` are not known to be on the stream; `outcomes` says which, in the order given. */
export class PutFailed extends PlatformError {
  readonly outcomes: readonly RecordOutcome[];

  constructor(stream: string, outcomes: readonly RecordOutcome[]) {
    const failed = outcomes.filter((outcome) => !outcome.ok);
    const reasons = new Set(failed.map((outcome) => `${outcome.code}: ${outcome.message}`));
    super(
      'put-failed',
      `${failed.length} of ${outcomes.length} records were not put on ${stream} (${[...reasons].slice(0, 3).join('; ')})`,
      { retryable: true },
    );
    this.outcomes = outcomes;
  }
}
