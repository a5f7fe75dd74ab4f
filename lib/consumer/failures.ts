import { BrokenInvariant, messageOf, nameOf, PlatformError } from '../runtime/errors.ts';

/**
 * The shard must not be read further until somebody has looked: thrown by the loop (poison policy, dead-letter
 * limit, data loss) or by a processor. The lease stays held, so that no peer runs into the same wall.
 */
export class ShardStopped extends PlatformError {}

/** The lease is lost. A value of the loop rather than a failure: nothing is reported, nothing more is written. */
export class Lost extends PlatformError {
  constructor() {
    super('lease-lost', 'The lease was lost, or its local deadline has passed; another worker goes on');
  }
}

export type FailureKind = 'final' | 'outage' | 'record';

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'TimeoutError',
]);

/**
 * `final`: retrying is wrong. `outage`: the record is not to blame, so it is retried without end and never becomes
 * a dead letter. `record`: the record itself may be poison, tries are counted.
 */
export function failureKind(error: unknown): FailureKind {
  if (error instanceof BrokenInvariant || error instanceof ShardStopped || saysLost(error)) return 'final';
  if (error instanceof PlatformError) return error.retryable ? 'outage' : 'record';
  return isOutage(error) ? 'outage' : 'record';
}

/** Lost, or what the lease itself says. */
export function saysLost(error: unknown): boolean {
  return error instanceof PlatformError && error.code === 'lease-lost';
}

/** Errors of the AWS SDK (`$retryable`, `$fault`) and of Node's network calls. */
function isOutage(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('$retryable' in error && error.$retryable !== undefined) return true;
  if ('$fault' in error && error.$fault === 'server') return true;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : nameOf(error);
  return (
    networkCodes.has(code) ||
    /Throttl|ProvisionedThroughputExceeded|ExpiredToken|CredentialsProvider/.test(code)
  );
}

/** What diagnostics and dead letters say of an error. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

export function failureOf(error: unknown, otherwise: string): Failure {
  return { code: error instanceof PlatformError ? error.code : otherwise, message: messageOf(error) };
}
