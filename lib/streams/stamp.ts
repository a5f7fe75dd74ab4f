/**
 * The mark that makes our writers idempotent for their readers. Every record that one of our processes puts on a
 * stream carries one, as the event attribute `weirstamp`: `source;position;floor`, positions in base 36.
 */
export interface Stamp {
  /** Who wrote it: for ingest one incarnation of one process, for a router `stream/shard` of the inbound record. */
  readonly source: string;
  /** Strictly increasing per source. */
  readonly position: bigint;
  /** Every position ≤ floor of that source was settled on this stream before this record was put. */
  readonly floor: bigint;
}

/** Characters of a source; readers keep each one in their saved state. */
const sourceLengthMax = 256;
const stampPattern = /^(.+);([1-9a-z][0-9a-z]{0,63});(0|[1-9a-z][0-9a-z]{0,63})$/s;
/** So many base-36 digits make a number that a double holds exactly. */
const chunkDigits = 10;
const chunkFactor = 36n ** BigInt(chunkDigits);

export function formatStamp(stamp: Stamp): string {
  return `${stamp.source};${stamp.position.toString(36)};${stamp.floor.toString(36)}`;
}

/**
 * The stamp in a text, undefined for any text that formatStamp does not make: other spellings of a number, a floor
 * that is not below its position.
 */
export function parseStamp(text: string): Stamp | undefined {
  const [, source, position, floor] = stampPattern.exec(text) ?? [];
  if (source === undefined || position === undefined || floor === undefined) return undefined;
  if (source.length > sourceLengthMax) return undefined;
  const stamp = { source, position: parseBase36(position), floor: parseBase36(floor) };
  return stamp.floor < stamp.position ? stamp : undefined;
}

function parseBase36(digits: string): bigint {
  const head = digits.length % chunkDigits;
  let value = BigInt(Number.parseInt(digits.slice(0, head) || '0', 36));
  for (let at = head; at < digits.length; at += chunkDigits) {
    value = value * chunkFactor + BigInt(Number.parseInt(digits.slice(at, at + chunkDigits), 36));
  }
  return value;
}
