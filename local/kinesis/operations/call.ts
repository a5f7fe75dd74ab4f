import type { Faults } from '../control/faults.ts';
import type { Throughput } from '../control/limits.ts';
import { invalidArgument } from '../errors.ts';
import type { Account } from '../storage/account.ts';

export interface Settings {
  /** Bytes of a record that a stream takes unless it was created or updated with another size. */
  readonly maxRecordBytes: number;
  /** Bytes of all records of one PutRecords; a stream of larger records takes calls of that size too. */
  readonly maxCallBytes: number;
  /** How long a stream stays CREATING, UPDATING and DELETING, and a consumer CREATING. */
  readonly createStreamMs: number;
  /** All records in memory; then puts fail with InternalFailure. */
  readonly memoryBytesMax: number;
  /** Whether a subscription stays taken for 5 s after its connection has gone. */
  readonly strict: boolean;
}

/** One request's surroundings. */
export interface Call {
  readonly account: Account;
  readonly settings: Settings;
  readonly throughput: Throughput;
  readonly faults: Faults;
  readonly nowMs: number;
}

/** A JSON document, whole or as the pieces to send one after the other; the empty text where there is no output. */
export type Reply = string | readonly Uint8Array[];
export type Operation = (call: Call, input: unknown) => Reply;

export interface StreamRef {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
}

/** The stream's name from either member. */
export function nameOfStream(call: Call, ref: StreamRef): string {
  const fromArn = ref.StreamARN === undefined ? undefined : nameFromArn(ref.StreamARN);
  const name = ref.StreamName ?? fromArn;
  if (name === undefined) throw invalidArgument('Either StreamName or StreamARN must be given.');
  const arn = call.account.streamArn(name);
  if (ref.StreamARN !== undefined && ref.StreamARN !== arn) {
    throw invalidArgument(`StreamARN ${ref.StreamARN} does not name the stream ${arn}.`);
  }
  return name;
}

/** The stream in the ARN of a stream or consumer; undefined when it is not such an ARN. */
export function nameFromArn(arn: string): string | undefined {
  return /:stream\/([^/]+)/.exec(arn)?.[1];
}

/** The service writes times as seconds with a fraction. */
export function seconds(ms: number): number {
  return ms / 1000;
}
