import { PlatformError } from '../../lib/runtime/errors.ts';

/** Names exactly as the service sends them in `__type`. */
export type ServiceErrorName =
  | 'ExpiredIteratorException'
  | 'ExpiredNextTokenException'
  | 'InternalFailure'
  | 'InvalidArgumentException'
  | 'LimitExceededException'
  | 'ProvisionedThroughputExceededException'
  | 'ResourceInUseException'
  | 'ResourceNotFoundException'
  | 'SerializationException'
  | 'UnknownOperationException'
  | 'ValidationException';

/** A refusal that the caller gets as `{__type, message}`; `code` is the service's name for it. */
export class ServiceError extends PlatformError {
  readonly errorName: ServiceErrorName;

  constructor(errorName: ServiceErrorName, message: string) {
    super(errorName, message, {
      retryable: errorName === 'ProvisionedThroughputExceededException' || errorName === 'InternalFailure',
    });
    this.errorName = errorName;
  }

  /** The service answers its own failures with 500 and all others with 400. */
  get status(): number {
    return this.errorName === 'InternalFailure' ? 500 : 400;
  }
}

export function invalidArgument(message: string): ServiceError {
  return new ServiceError('InvalidArgumentException', message);
}

export function notFound(message: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', message);
}
