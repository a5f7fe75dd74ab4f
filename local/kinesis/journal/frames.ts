import { crc32 } from 'node:zlib';
import type { Batch } from '../storage/shard-log.ts';
import type { StreamState } from '../storage/stream-state.ts';

/**
 * A journal is a row of frames: length of the payload (32 bits, little end first), check sum of kind and payload,
 * kind (one byte), payload. A frame that is not whole, or whose check sum is wrong, ends the journal: the process or
 * the machine died while it was written.
 */
export type Frame =
  | { readonly kind: 'state'; readonly state: StreamState }
  | { readonly kind: 'batch'; readonly shardIndex: number; readonly batch: Batch };

const HEAD_BYTES = 9;
const STATE = 1;
const BATCH = 2;
const BATCH_HEAD_BYTES = 16;
const BYTES_PER_RECORD = 16;

export function renderState(state: StreamState): readonly Buffer[] {
  return renderFrame(STATE, [Buffer.from(JSON.stringify(state))]);
}

export function renderBatch(shardIndex: number, batch: Batch): readonly Buffer[] {
  const count = batch.counters.length;
  const head = Buffer.allocUnsafe(BATCH_HEAD_BYTES + count * BYTES_PER_RECORD);
  head.writeUInt32LE(shardIndex, 0);
  head.writeUInt32LE(count, 4);
  head.writeDoubleLE(batch.arrivedAtMs, 8);
  for (let i = 0; i < count; i += 1) {
    const at = BATCH_HEAD_BYTES + i * BYTES_PER_RECORD;
    head.writeDoubleLE(batch.counters[i] as number, at);
    head.writeUInt32LE(batch.lengths[i] as number, at + 8);
    head.writeUInt32LE(batch.sizes[i] as number, at + 12);
  }
  return renderFrame(BATCH, [head, batch.bytes]);
}

/** Hands each whole frame on, in order, and returns where the last one ends. */
export function readFrames(journal: Buffer, onFrame: (frame: Frame) => void): number {
  let at = 0;
  for (;;) {
    if (at + HEAD_BYTES > journal.length) return at;
    const end = at + HEAD_BYTES + journal.readUInt32LE(at);
    if (end > journal.length) return at;
    if (crc32(journal.subarray(at + 8, end)) !== journal.readUInt32LE(at + 4)) return at;
    onFrame(parsePayload(journal.readUInt8(at + 8), journal.subarray(at + HEAD_BYTES, end)));
    at = end;
  }
}

function renderFrame(kind: number, payload: readonly Buffer[]): readonly Buffer[] {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt8(kind, 8);
  const sum = payload.reduce((so, part) => crc32(part, so), crc32(head.subarray(8)));
  head.writeUInt32LE(
    payload.reduce((bytes, part) => bytes + part.length, 0),
    0,
  );
  head.writeUInt32LE(sum, 4);
  return [head, ...payload];
}

function parsePayload(kind: number, payload: Buffer): Frame {
  switch (kind) {
    case STATE:
      return { kind: 'state', state: JSON.parse(payload.toString()) as StreamState };
    case BATCH:
      return parseBatch(payload);
    default:
      throw new RangeError(`the journal has a frame of kind ${kind}, which a later version wrote`);
  }
}

function parseBatch(payload: Buffer): Frame {
  const count = payload.readUInt32LE(4);
  const at = (i: number): number => BATCH_HEAD_BYTES + i * BYTES_PER_RECORD;
  const column = <T>(read: (offset: number) => T): T[] =>
    Array.from({ length: count }, (_, i) => read(at(i)));
  return {
    kind: 'batch',
    shardIndex: payload.readUInt32LE(0),
    batch: {
      arrivedAtMs: payload.readDoubleLE(8),
      counters: column((offset) => payload.readDoubleLE(offset)),
      lengths: column((offset) => payload.readUInt32LE(offset + 8)),
      sizes: column((offset) => payload.readUInt32LE(offset + 12)),
      bytes: payload.subarray(at(count)),
    },
  };
}
