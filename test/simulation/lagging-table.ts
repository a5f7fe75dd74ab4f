import type { Item } from '../../lib/leases/lease-item.ts';
import { createMemoryLeaseTable, type MemoryLeaseTable } from '../../lib/leases/memory-lease-table.ts';
import type { LeaseTable, TableOutcome } from '../../lib/leases/table-lease-store.ts';
import type { Clock } from '../../lib/runtime/clock.ts';

/** The longest that an index lags behind its table here. */
const lagMs = 3_000;

type Picture = ReadonlyMap<string, Item>;

/** A table with a past: what an index may still show. */
export class LaggingTable {
  readonly #table: MemoryLeaseTable;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** What the table held from some time on, oldest first. */
  #pictures: readonly { readonly atMs: number; readonly items: Picture }[] = [];

  constructor(table: MemoryLeaseTable, clock: Clock, random: () => number) {
    this.#table = table;
    this.#clock = clock;
    this.#random = random;
  }

  /** The table itself is up to date; half of the reads of its indexes are not. */
  withLaggingIndexes(): LeaseTable {
    const table = this.#table;
    return {
      ...table,
      insert: (leaseKey, item) => this.#remembered(table.insert(leaseKey, item)),
      update: (write) => this.#remembered(table.update(write)),
      remove: (write) => this.#remembered(table.remove(write)),
      ownedBy: (worker) => this.#past().ownedBy(worker),
      pulses: (incarnation) => this.#past().pulses(incarnation),
    };
  }

  /** The table as it was a moment ago, or as it is. */
  #past(): LeaseTable {
    const asOfMs = this.#clock.monotonic() - (this.#random() < 0.5 ? 0 : this.#random() * lagMs);
    const picture = this.#pictures.findLast(({ atMs }) => atMs <= asOfMs) ?? this.#pictures[0];
    const past = createMemoryLeaseTable();
    for (const [leaseKey, item] of picture?.items ?? []) past.items.set(leaseKey, item);
    return past;
  }

  async #remembered(write: Promise<TableOutcome>): Promise<TableOutcome> {
    const outcome = await write;
    const atMs = this.#clock.monotonic();
    const first = this.#pictures.findLastIndex((picture) => picture.atMs <= atMs - lagMs);
    this.#pictures = [
      ...this.#pictures.slice(Math.max(0, first)),
      { atMs, items: new Map(this.#table.items) },
    ];
    return outcome;
  }
}
