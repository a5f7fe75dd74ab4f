import type { RawRecord } from '../streams/kinesis.ts';

const MIB = 1024 * 1024;

/**
 * What a record takes beside its data: objects, sequence number and key. Some 400 B were measured on Node 20, and the
 * heap grows to more than twice of what is in use before it is collected.
 */
const recordBytes = 1_024;

/**
 * The most that one GetRecords call takes until it is known what it brings: 10 MiB of data (Kinesis quotas) come as
 * 13.4 MiB of base64, with up to 10,000 times what stands beside the data.
 */
const readBytesMax = 20 * MIB;

/** A shard takes 1 MiB and 1,000 records a second (Kinesis quotas): so much memory when they are read. */
const filledBytesPerMs = (2 * MIB) / 1_000;
/** The service counts by the second, and our two clocks are not one. */
const filledSlackMs = 1_000;

export interface PageSize {
  readonly bytes: number;
  readonly heldBytes: number;
}

/**
 * Bytes of data, and of memory: what lies behind the data (which may be views of a whole answer, base64 and all), each
 * buffer counted once.
 */
export function sizeOf(records: readonly RawRecord[]): PageSize {
  const buffers = new Set<ArrayBufferLike>();
  let bytes = 0;
  for (const { data } of records) {
    bytes += data.length;
    buffers.add(data.buffer);
  }
  let heldBytes = records.length * recordBytes;
  for (const { byteLength } of buffers) heldBytes += byteLength;
  return { bytes, heldBytes };
}

/** Whole bytes for a read of a shard of which everything was read so long ago; Infinity: it is behind. */
export function expectedBytes(caughtUpForMs: number): number {
  return Math.min(readBytesMax, Math.ceil((caughtUpForMs + filledSlackMs) * filledBytesPerMs));
}
