/**
 * Sequence numbers have 56 decimal digits, as the service's have: `49`, then the stream's creation time (13 digits,
 * ms), a counter over the whole stream (16), the arrival time (13, ms) and the shard's index (12). The counter comes
 * before everything that differs between shards, so numbers rise over the whole stream and the children of a shard
 * begin above it.
 *
 * Records have even counters; the odd one after a record is a place between it and the next, so that a
 * continuation can be used with AT_ and with AFTER_SEQUENCE_NUMBER and gives the same records.
 */
export interface SequenceNumber {
  readonly createdAtMs: number;
  readonly counter: number;
  readonly shardIndex: number;
}

export const COUNTER_STEP = 2;
const SHAPE = /^49(\d{13})(\d{16})\d{13}(\d{12})$/;

export function formatSequenceNumber(of: SequenceNumber, arrivedAtMs: number): string {
  return (
    sequencePrefix(of.createdAtMs) + counterDigits(of.counter) + sequenceSuffix(arrivedAtMs, of.shardIndex)
  );
}

/** The parts that are equal for every record of one call are made once: this is the hot path of PutRecords. */
export function sequencePrefix(createdAtMs: number): string {
  return `49${digits(createdAtMs, 13)}`;
}

export function counterDigits(counter: number): string {
  return digits(counter, 16);
}

export function sequenceSuffix(arrivedAtMs: number, shardIndex: number): string {
  return digits(arrivedAtMs, 13) + digits(shardIndex, 12);
}

/** Undefined when `text` was not made by formatSequenceNumber. */
export function parseSequenceNumber(text: string): SequenceNumber | undefined {
  const found = SHAPE.exec(text);
  if (!found) return undefined;
  return { createdAtMs: Number(found[1]), counter: Number(found[2]), shardIndex: Number(found[3]) };
}

export function shardIdOf(index: number): string {
  return `shardId-${digits(index, 12)}`;
}

export function shardIndexOf(shardId: string): number | undefined {
  return /^shardId-\d{12}$/.test(shardId) ? Number(shardId.slice(8)) : undefined;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
