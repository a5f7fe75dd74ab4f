import { compareCheckpoints } from '../../lib/leases/checkpoint.ts';
import type { Lease } from '../../lib/leases/lease.ts';
import { type Item, parseItem } from '../../lib/leases/lease-item.ts';
import type { LeaseWrite } from '../../lib/leases/lease-writes.ts';
import type { LeaseTable, TableOutcome } from '../../lib/leases/table-lease-store.ts';
import type { Breaches } from './breaches.ts';

const mandatory = [
  ['leaseCounter', 'number'],
  ['ownerSwitchesSinceCheckpoint', 'number'],
  ['checkpoint', 'string'],
  ['checkpointSubSequenceNumber', 'number'],
] as const;

/** Looks at every write of the lease table as it lands. */
export class TableLaws {
  readonly #breaches: Breaches;
  readonly #onCheckpoint: (lease: Lease) => void;
  /** Per lease: the counter with which it was last taken, as the table saw it. */
  readonly #fences = new Map<string, number>();

  constructor(breaches: Breaches, onCheckpoint: (lease: Lease) => void = () => {}) {
    this.#breaches = breaches;
    this.#onCheckpoint = onCheckpoint;
  }

  /** The fence of whoever took the lease last. */
  fenceOf(leaseKey: string): number | undefined {
    return this.#fences.get(leaseKey);
  }

  watch(table: LeaseTable): LeaseTable {
    const update = async (write: LeaseWrite): Promise<TableOutcome> => {
      const before = await table.get(write.leaseKey);
      const outcome = await table.update(write);
      if (!outcome.done) return outcome;
      const now = this.#read(outcome.item);
      if (before !== undefined && now !== undefined) this.#onWrite(before, now);
      if (write.set.checkpoint !== undefined && now !== undefined) this.#onCheckpoint(now);
      if (write.set.incarnation !== undefined) {
        this.#fences.set(write.leaseKey, Number(outcome.item.leaseCounter));
      }
      return outcome;
    };
    const insert: LeaseTable['insert'] = async (leaseKey, item) => {
      const outcome = await table.insert(leaseKey, item);
      if (outcome.done) this.#read(outcome.item);
      return outcome;
    };
    return { ...table, insert, update };
  }

  #onWrite(before: Item, now: Lease): void {
    const old = parseItem(before);
    if (old.type !== 'lease' || compareCheckpoints(now.checkpoint, old.lease.checkpoint) >= 0) return;
    const what = `${now.leaseKey}: ${String(before.checkpoint)} → ${JSON.stringify(now.checkpoint)}`;
    this.#breaches.add('I3 checkpoint forward', what);
  }

  #read(item: Item): Lease | undefined {
    const parsed = parseItem(item);
    const odd = (what: string): void => this.#breaches.add('I7 Java reads it', what);
    if (parsed.type !== 'lease') odd(JSON.stringify(parsed));
    for (const [name, type] of mandatory) {
      if (typeof item[name] !== type) odd(`${String(item.leaseKey)}: ${name}`);
    }
    for (const [name, value] of Object.entries(item)) {
      const empty = value === '' || (value instanceof Set && value.size === 0);
      if (empty) odd(`${String(item.leaseKey)}: ${name} is empty`);
    }
    return parsed.type === 'lease' ? parsed.lease : undefined;
  }
}
