import { hash } from 'node:crypto';

/** The keys that partition keys are hashed to: 0 … 2^128 − 1. */
export const HASH_KEYS = 1n << 128n;

export interface KeyRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** A hash key as 32 hexadecimal digits: texts of equal length compare like the numbers, without BigInt. */
export function hexOfPartitionKey(partitionKey: string): string {
  return hash('md5', partitionKey, 'hex');
}

export function hexOfHashKey(key: bigint): string {
  return key.toString(16).padStart(32, '0');
}

/** Undefined when `text` is not a decimal number in 0 … 2^128 − 1 without leading zeros. */
export function parseHashKey(text: string): bigint | undefined {
  if (!/^(?:0|[1-9]\d{0,38})$/.test(text)) return undefined;
  const key = BigInt(text);
  return key < HASH_KEYS ? key : undefined;
}

/** `count` ranges of equal size (the service rounds their starts down), which cover all hash keys. */
export function uniformRanges(count: number): readonly KeyRange[] {
  const start = (i: number): bigint => (HASH_KEYS * BigInt(i)) / BigInt(count);
  return Array.from({ length: count }, (_, i) => ({ start: start(i), end: start(i + 1) - 1n }));
}

export interface RingEntry {
  /** Last hash key of the shard, as hexadecimal digits. */
  readonly endHex: string;
  readonly shardIndex: number;
}

/** The shard of a hash key. `ring` is ordered by `endHex` and covers every key. */
export function shardOfHashKey(ring: readonly RingEntry[], keyHex: string): number {
  let low = 0;
  let high = ring.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ring[middle] as RingEntry).endHex < keyHex) low = middle + 1;
    else high = middle;
  }
  return (ring[low] as RingEntry).shardIndex;
}
