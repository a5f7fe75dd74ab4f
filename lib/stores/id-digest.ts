import { createHash } from 'node:crypto';

const modulus = 1n << 128n;

/** First 16 bytes of SHA-256(event id), as the tallies of lib/consumer/events.ts have it. */
export function idDigest(eventId: string): bigint {
  return BigInt(`0x${createHash('sha256').update(eventId).digest('hex').slice(0, 32)}`);
}

/** Sum mod 2^128: the order of events does not matter. */
export function addDigests(a: bigint, b: bigint): bigint {
  return (a + b) % modulus;
}

/** 32 hex digits. */
export function digestText(digest: bigint): string {
  return digest.toString(16).padStart(32, '0');
}
