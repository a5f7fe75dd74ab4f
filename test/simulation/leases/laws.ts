import type { HeldLease } from '../../../lib/leases/held-lease.ts';
import type { Breaches } from '../breaches.ts';
import type { TableLaws } from '../table-laws.ts';
import type { ShardModel } from './shard-model.ts';

/** Watches what is done with leases, in a world where a shard's records are numbers. */
export class DeliveryLaws {
  readonly #model: ShardModel;
  readonly #breaches: Breaches;
  readonly #table: TableLaws;
  /** Per shard: all records up to this index have been delivered. */
  readonly #delivered = new Map<string, number>();

  constructor(model: ShardModel, breaches: Breaches, table: TableLaws) {
    this.#model = model;
    this.#breaches = breaches;
    this.#table = table;
  }

  deliveredUpTo(shardId: string): number {
    return this.#delivered.get(shardId) ?? 0;
  }

  /** A process is about to act on the records after `from`, up to `to`. */
  onDelivery(process: string, lease: HeldLease, from: number, to: number): void {
    const { shardId, fence } = lease;
    const what = `${process} (fence ${fence}) on ${shardId} ${from}…${to}`;
    if (lease.lost.aborted) this.#breaches.add('I4 nothing after loss', what);
    const last = this.#table.fenceOf(lease.leaseKey);
    if (last !== fence) this.#breaches.add('I5 one owner', `${what}, last taken as ${last}`);
    if (from > this.deliveredUpTo(shardId)) this.#breaches.add('I1 nothing missed', what);
    for (const parent of this.#model.get(shardId).parents) {
      const end = this.#model.count(this.#model.get(parent));
      if (this.deliveredUpTo(parent) < end)
        this.#breaches.add('I2 parents first', `${what}, before ${parent}`);
    }
    this.#delivered.set(shardId, Math.max(to, this.deliveredUpTo(shardId)));
  }
}
