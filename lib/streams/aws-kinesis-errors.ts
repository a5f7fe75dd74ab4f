import { messageOf, nameOf } from '../runtime/errors.ts';
import { KinesisError } from './kinesis-error.ts';
import type { KinesisErrorCode } from './kinesis.ts';

/** The service's error names (API reference, "Errors" of each call); whatever is not here may pass by itself. */
const codes: Readonly<Record<string, KinesisErrorCode>> = {
  ExpiredIteratorException: 'iterator-expired',
  ProvisionedThroughputExceededException: 'throttled',
  LimitExceededException: 'throttled',
  ThrottlingException: 'throttled',
  KMSThrottlingException: 'throttled',
  ResourceInUseException: 'resource-in-use',
  InvalidArgumentException: 'invalid-argument',
  ValidationException: 'invalid-argument',
  SerializationException: 'invalid-argument',
  AccessDeniedException: 'access-denied',
  KMSAccessDeniedException: 'access-denied',
  KMSDisabledException: 'access-denied',
  KMSInvalidStateException: 'access-denied',
  KMSNotFoundException: 'access-denied',
  KMSOptInRequired: 'access-denied',
  UnrecognizedClientException: 'access-denied',
  InvalidSignatureException: 'access-denied',
};

/** `what` names the call and its object; `positional`: the call takes a place in a shard. */
export function kinesisErrorOf(error: unknown, what: string, positional: boolean): KinesisError {
  return new KinesisError(codeOf(error, positional), `${what}: ${messageOf(error)}`, error);
}

function codeOf(error: unknown, positional: boolean): KinesisErrorCode {
  const name = nameOf(error);
  if (name === 'ResourceNotFoundException') {
    // One name for both; only the message tells ("Shard shardId-… in stream … does not exist").
    return /^(requested )?shard\b/i.test(messageOf(error)) ? 'shard-not-found' : 'stream-not-found';
  }
  const code = codes[name] ?? 'kinesis-unavailable';
  return code === 'invalid-argument' && positional ? 'invalid-position' : code;
}
