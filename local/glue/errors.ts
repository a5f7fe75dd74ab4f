/** Errors of the Schema Registry; from the Glue API reference. */
export type GlueErrorCode =
  | 'AlreadyExistsException'
  | 'ConflictException'
  | 'EntityNotFoundException'
  | 'InternalServiceException'
  | 'InvalidInputException'
  | 'ResourceNumberLimitExceededException'
  | 'SerializationException'
  | 'UnknownOperationException';

/** What a client is told: `__type` and `Message` of the answer. */
export class GlueError extends Error {
  readonly code: GlueErrorCode;
  readonly status: number;

  constructor(code: GlueErrorCode, message: string) {
    super(message);
    this.name = 'GlueError';
    this.code = code;
    this.status = code === 'InternalServiceException' ? 500 : 400;
  }
}
