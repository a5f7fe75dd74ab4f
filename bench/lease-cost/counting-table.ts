import type { Item } from '../../lib/leases/lease-item.ts';
import type { MemoryLeaseTable } from '../../lib/leases/memory-lease-table.ts';
import type { LeaseTable, TableOutcome } from '../../lib/leases/table-lease-store.ts';
import { indexWriteUnits, itemBytes, pulseEntry, readUnits, type Units, writeUnits } from './units.ts';

/** One page of a scan or query (DynamoDB limit). */
const pageBytes = 1024 * 1024;

export interface Account extends Units {
  /** Requests by operation. */
  readonly calls: Readonly<Record<string, number>>;
}

/** A table in memory that keeps account of what the same calls would cost at DynamoDB. */
export class CountingTable implements LeaseTable {
  readonly #table: MemoryLeaseTable;
  #calls: Record<string, number> = {};
  #writes = 0;
  #reads = 0;

  constructor(table: MemoryLeaseTable) {
    this.#table = table;
  }

  /** What was spent since the last time. */
  settle(): Account {
    const account = { calls: this.#calls, writes: this.#writes, reads: this.#reads };
    this.#calls = {};
    this.#writes = 0;
    this.#reads = 0;
    return account;
  }

  readonly insert: LeaseTable['insert'] = (leaseKey, item) =>
    this.#write('PutItem', leaseKey, () => this.#table.insert(leaseKey, item));

  readonly update: LeaseTable['update'] = (write) =>
    this.#write('UpdateItem', write.leaseKey, () => this.#table.update(write));

  readonly remove: LeaseTable['remove'] = (write) =>
    this.#write('DeleteItem', write.leaseKey, () => this.#table.remove(write));

  readonly get: LeaseTable['get'] = (leaseKey) => {
    this.#call('GetItem');
    this.#reads += readUnits(itemBytes(this.#table.items.get(leaseKey)), 'strong');
    return this.#table.get(leaseKey);
  };

  readonly scan: LeaseTable['scan'] = (segment) => this.#counted(this.#table.scan(segment));

  readonly ownedBy: LeaseTable['ownedBy'] = async (worker) => {
    const keys = await this.#table.ownedBy(worker);
    this.#pages(
      'Query',
      keys.map((leaseKey) => ({ leaseKey, leaseOwner: worker })),
    );
    return keys;
  };

  readonly pulses: LeaseTable['pulses'] = async (incarnation) => {
    const items = await this.#table.pulses(incarnation);
    this.#pages('Query', (items ?? []).map(pulseEntry));
    return items;
  };

  async #write(
    operation: string,
    leaseKey: string,
    work: () => Promise<TableOutcome>,
  ): Promise<TableOutcome> {
    const before = this.#table.items.get(leaseKey);
    this.#call(operation);
    const outcome = await work();
    const after = outcome.done && operation !== 'DeleteItem' ? outcome.item : undefined;
    this.#writes += writeUnits(before, after);
    if (outcome.done) this.#writes += indexWriteUnits(before, after);
    // dynamo-lease-table.ts reads the item again after a failed condition.
    else await this.get(leaseKey);
    return outcome;
  }

  async *#counted(pages: AsyncIterable<readonly Item[]>): AsyncIterable<readonly Item[]> {
    for await (const items of pages) {
      this.#pages('Scan', items);
      yield items;
    }
  }

  #pages(operation: string, items: readonly Item[]): void {
    const bytes = items.reduce((sum, item) => sum + itemBytes(item), 0);
    for (let left = bytes; left >= 0; left -= pageBytes) {
      this.#call(operation);
      this.#reads += readUnits(Math.min(left, pageBytes), 'eventual');
    }
  }

  #call(operation: string): void {
    this.#calls[operation] = (this.#calls[operation] ?? 0) + 1;
  }
}
