import { promisify } from 'node:util';
import { gzip as gzipCallback, gzipSync } from 'node:zlib';

/** Where the gzip header names the operating system (RFC 1952, 2.3), and the value for "unknown". */
const osAt = 9;
const unknownOs = 255;
const level = 6;

/** The same bytes for the same input on every machine: fixed level, no time and no operating system in the header. */
export function gzip(bytes: Uint8Array): Uint8Array {
  return withoutOs(gzipSync(bytes, { level }));
}

/** As `gzip`, off the main thread: a lease is not renewed while megabytes are compressed on it. */
export async function gzipLarge(bytes: Uint8Array): Promise<Uint8Array> {
  return withoutOs(await inBackground(bytes, { level }));
}

const inBackground = promisify<Uint8Array, { level: number }, Buffer>(gzipCallback);

function withoutOs(packed: Buffer): Uint8Array {
  packed[osAt] = unknownOs;
  return packed;
}
