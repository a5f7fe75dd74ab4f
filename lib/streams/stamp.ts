/**
 * The mark that makes our writers idempotent for their readers, and keeps each key in order. Every record that one of
 * our processes puts on a stream carries one, as the event attribute `weirstamp`: `source;position;floor` or
 * `source;position;floor;after`, positions in base 36.
 */
export interface Stamp {
  /** Who wrote it: for ingest one incarnation of one process, for a router `stream/shard` of the inbound record. */
  readonly source: string;
  /** Strictly increasing per source. */
  readonly position: bigint;
  /** Every position ≤ floor of that source was settled on this stream before this record was put. */
  readonly floor: bigint;
  /**
   * The position of the nearest earlier record of its key in the same PutRecords call, absent if there is none. Kinesis
   * may have refused that one; then this copy does not count and another one follows it.
   */
  readonly after?: bigint;
}

/** Characters of a source; readers keep each one in their saved state. */
const sourceLengthMax = 256;
const lastTwo = /^(.+);(0|[1-9a-z][0-9a-z]{0,63});(0|[1-9a-z][0-9a-z]{0,63})$/s;
const lastOne = /^(.+);(0|[1-9a-z][0-9a-z]{0,63})$/s;
/** So many base-36 digits make a number that a double holds exactly. */
const chunkDigits = 10;
const chunkFactor = 36n ** BigInt(chunkDigits);

export function formatStamp({ source, position, floor, after }: Stamp): string {
  const text = `${source};${position.toString(36)};${floor.toString(36)}`;
  return after === undefined ? text : `${text};${after.toString(36)}`;
}

/**
 * The stamp in a text, undefined for any text that formatStamp does not make: other spellings of a number, numbers
 * that are not floor < after < position. That order also tells the two forms apart, whatever the source contains: of
 * the last two numbers the second is the smaller one in `position;floor`, the larger one in `floor;after`.
 */
export function parseStamp(text: string): Stamp | undefined {
  const [, head, first, second] = lastTwo.exec(text) ?? [];
  if (head === undefined || first === undefined || second === undefined) return undefined;
  const [left, right] = [parseBase36(first), parseBase36(second)];
  if (right < left) return bounded({ source: head, position: left, floor: right });
  const [, source, digits] = lastOne.exec(head) ?? [];
  if (source === undefined || digits === undefined) return undefined;
  const position = parseBase36(digits);
  const isOrdered = left < right && right < position;
  return isOrdered ? bounded({ source, position, floor: left, after: right }) : undefined;
}

function bounded(stamp: Stamp): Stamp | undefined {
  return stamp.source.length > sourceLengthMax ? undefined : stamp;
}

function parseBase36(digits: string): bigint {
  const head = digits.length % chunkDigits;
  let value = BigInt(Number.parseInt(digits.slice(0, head) || '0', 36));
  for (let at = head; at < digits.length; at += chunkDigits) {
    value = value * chunkFactor + BigInt(Number.parseInt(digits.slice(at, at + chunkDigits), 36));
  }
  return value;
}
