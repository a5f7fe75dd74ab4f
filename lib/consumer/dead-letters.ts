/** A record that could not be handled, with its bytes, so that it can be looked at, mended and sent again. */
export interface DeadLetter {
  /** The service that gave up on it. */
  readonly consumer: string;
  readonly stream: string;
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
  readonly partitionKey: string;
  readonly arrivedAtMs: number;
  readonly data: Uint8Array;
  /** Stable code of what went wrong: `undecodable`, `handler-failed`, `unroutable`… */
  readonly reason: string;
  /** The error's message, for people. */
  readonly error: string;
  readonly tries: number;
}

/** Idempotent: the key is consumer, stream, shard and position. Rejects if the letter is not safely kept. */
export interface DeadLetters {
  readonly put: (letter: DeadLetter, signal?: AbortSignal) => Promise<void>;
}
