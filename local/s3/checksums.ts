import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export const checksumAlgorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

/** A checksum as S3 shows it: big-endian bytes in base64; of parts, with `-N` behind it. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
  /** COMPOSITE: the checksum of the parts' checksums. */
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
}

/** Sums bytes as they pass. `digest` may be called once. */
export interface RunningChecksum {
  readonly update: (chunk: Uint8Array) => void;
  readonly digest: () => Buffer;
}

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** The XML element and SDK member of an algorithm, e.g. `ChecksumCRC32`. */
export function checksumMember(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** Bytes of an algorithm's digest; a given value of another length is refused. */
export const digestBytes: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

export function runningChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  switch (algorithm) {
    case 'CRC32':
      return runningCrc32((chunk, crc) => crc32(chunk, crc));
    case 'CRC32C':
      return runningCrc32((chunk, crc) => crc32c(chunk, crc));
    case 'CRC64NVME':
      return runningCrc64();
    case 'SHA1':
    case 'SHA256': {
      const hash = createHash(algorithm.toLowerCase());
      return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest() };
    }
  }
}

function runningCrc32(next: (chunk: Uint8Array, crc: number) => number): RunningChecksum {
  let crc = 0;
  return {
    update: (chunk) => {
      crc = next(chunk, crc);
    },
    digest: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc);
      return bytes;
    },
  };
}

/** Castagnoli's polynomial, reflected (RFC 3720, appendix B.4). */
const castagnoli = crc32Table(0x82f63b78);

function crc32Table(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ polynomial;
    return crc >>> 0;
  });
}

function crc32c(chunk: Uint8Array, before: number): number {
  let crc = ~before >>> 0;
  for (const byte of chunk) crc = (crc >>> 8) ^ (castagnoli[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}

/** NVMe's polynomial, reflected (NVM Express base specification, 64-bit CRC), in halves of 32 bits: BigInt is too slow. */
const nvmeHigh = 0x9a6c9329;
const nvmeLow = 0xac4bc9b5;
const nvmeTable = crc64Table();

function crc64Table(): { readonly high: Uint32Array; readonly low: Uint32Array } {
  const table = { high: new Uint32Array(256), low: new Uint32Array(256) };
  for (let byte = 0; byte < 256; byte += 1) {
    let high = 0;
    let low = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      const odd = (low & 1) === 1;
      low = ((low >>> 1) | (high << 31)) ^ (odd ? nvmeLow : 0);
      high = (high >>> 1) ^ (odd ? nvmeHigh : 0);
    }
    table.high[byte] = high;
    table.low[byte] = low;
  }
  return table;
}

function runningCrc64(): RunningChecksum {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update: (chunk) => {
      for (const byte of chunk) {
        const at = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ (nvmeTable.low[at] ?? 0);
        high = (high >>> 8) ^ (nvmeTable.high[at] ?? 0);
      }
    },
    digest: () => {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32BE(~high >>> 0, 0);
      bytes.writeUInt32BE(~low >>> 0, 4);
      return bytes;
    },
  };
}

/** The checksum of parts' checksums, with their number: what S3 shows for a COMPOSITE object. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly string[]): Checksum {
  const running = runningChecksum(algorithm);
  for (const part of parts) running.update(Buffer.from(part, 'base64'));
  return { algorithm, value: `${running.digest().toString('base64')}-${parts.length}`, type: 'COMPOSITE' };
}
