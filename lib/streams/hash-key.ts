import { createHash } from 'node:crypto';

/** 2^128 − 1: the last hash key of a stream. */
export const maxHashKey = (1n << 128n) - 1n;

/**
 * The hash key that decides which shard a record goes to: the explicit one where given, otherwise MD5 of the
 * partition key's UTF-8 as a 128-bit number (Kinesis Data Streams, "partition key" in the key concepts).
 */
export function hashKeyOf(partitionKey: string, explicitHashKey?: string): bigint {
  if (explicitHashKey !== undefined) return BigInt(explicitHashKey);
  return BigInt(`0x${createHash('md5').update(partitionKey, 'utf8').digest('hex')}`);
}

/** Whether a hash key lies in a shard's range, both ends included. */
export function inRange(
  hashKey: bigint,
  range: { readonly startingHashKey: string; readonly endingHashKey: string },
): boolean {
  return hashKey >= BigInt(range.startingHashKey) && hashKey <= BigInt(range.endingHashKey);
}
