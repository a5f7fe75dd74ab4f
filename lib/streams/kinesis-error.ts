import { PlatformError } from '../runtime/errors.ts';
import type { KinesisErrorCode } from './kinesis.ts';

const retryable: Readonly<Record<KinesisErrorCode, boolean>> = {
  'stream-not-found': false,
  'shard-not-found': false,
  'iterator-expired': false,
  'invalid-position': false,
  'invalid-argument': false,
  throttled: true,
  'resource-in-use': true,
  'access-denied': false,
  'kinesis-unavailable': true,
};

/**
 * What every adapter of the Kinesis port throws. `retryable`: the very same call may work later; an expired
 * iterator is not, because a new one has to be asked for.
 */
export class KinesisError extends PlatformError {
  declare readonly code: KinesisErrorCode;

  constructor(code: KinesisErrorCode, message: string, cause?: unknown) {
    super(code, message, { retryable: retryable[code], cause });
  }
}
