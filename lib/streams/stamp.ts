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

export function formatStamp(stamp: Stamp): string {
  return `${stamp.source};${stamp.position.toString(36)};${stamp.floor.toString(36)}`;
}
