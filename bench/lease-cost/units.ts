import type { Item } from '../../lib/leases/lease-item.ts';

/**
 * What DynamoDB charges ("Read/write capacity mode" and "Item sizes and formats" in the Developer Guide):
 * a write costs a unit for each KiB of the larger of the item before and after, also when its condition fails;
 * a strongly consistent read a unit for each 4 KiB, an eventually consistent one half of it, a page of a scan or
 * query for all its items together. An index costs a write where an item appears in it, goes from it or changes in what
 * is projected; two where its key changes.
 */
export const writeUnitBytes = 1_024;
export const readUnitBytes = 4_096;

export interface Units {
  readonly writes: number;
  readonly reads: number;
}

export function writeUnits(before: Item | undefined, after: Item | undefined): number {
  const bytes = Math.max(itemBytes(before), itemBytes(after));
  return Math.max(1, Math.ceil(bytes / writeUnitBytes));
}

/** Of both indexes: `LeaseOwnerToLeaseKeyIndex`, keys only, and `PulseIndex` with the counter. */
export function indexWriteUnits(before: Item | undefined, after: Item | undefined): number {
  const beats = before?.pulse !== undefined && before.pulse === after?.pulse;
  const beat = beats && before.leaseCounter !== after?.leaseCounter ? 1 : 0;
  return (
    beat + keyWriteUnits(before?.leaseOwner, after?.leaseOwner) + keyWriteUnits(before?.pulse, after?.pulse)
  );
}

function keyWriteUnits(before: unknown, after: unknown): number {
  if (before === after) return 0;
  return (before === undefined ? 0 : 1) + (after === undefined ? 0 : 1);
}

/** What `PulseIndex` holds of an item. */
export function pulseEntry({ leaseKey, pulseGroup, pulse, leaseCounter }: Item): Item {
  return { leaseKey, pulseGroup, pulse, leaseCounter };
}

export function readUnits(bytes: number, consistency: 'strong' | 'eventual'): number {
  const whole = Math.max(1, Math.ceil(bytes / readUnitBytes));
  return consistency === 'strong' ? whole : whole / 2;
}

export function itemBytes(item: Item | undefined): number {
  if (item === undefined) return 0;
  return Object.entries(item).reduce((sum, [name, value]) => sum + utf8(name) + valueBytes(value), 0);
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return utf8(value);
  // A byte for two significant digits, and one more.
  if (typeof value === 'number') return Math.ceil(significantDigits(value) / 2) + 1;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof Set) return [...value].reduce<number>((sum, each) => sum + valueBytes(each), 0);
  // Lists and maps: three bytes, and one for each element or pair.
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + 1 + valueBytes(each), 3);
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).reduce((sum, [name, each]) => sum + 1 + utf8(name) + valueBytes(each), 3);
  }
  return 1;
}

function significantDigits(value: number): number {
  return Math.max(
    1,
    String(Math.abs(value))
      .replace('.', '')
      .replace(/^0+|0+$/g, '').length,
  );
}

function utf8(text: string): number {
  return Buffer.byteLength(text);
}
