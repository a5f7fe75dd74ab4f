import { compareCheckpoints } from '../../../lib/leases/checkpoint.ts';
import type { HeldLease } from '../../../lib/leases/held-lease.ts';
import type { Lease } from '../../../lib/leases/lease.ts';
import { type Item, parseItem } from '../../../lib/leases/lease-item.ts';
import type { LeaseWrite } from '../../../lib/leases/lease-writes.ts';
import type { LeaseTable, TableOutcome } from '../../../lib/leases/table-lease-store.ts';
import type { ShardModel } from './shard-model.ts';

export type Law =
  | 'I1 nothing missed'
  | 'I2 parents first'
  | 'I3 checkpoint forward'
  | 'I4 nothing after loss'
  | 'I5 one owner'
  | 'I6 owned in time'
  | 'I7 Java reads it'
  | 'state rides with its checkpoint'
  | 'no lease lost without need'
  | 'a run ends well';

export class LawBroken extends Error {
  readonly law: Law;

  constructor(law: Law, what: string) {
    super(`${law}: ${what}`);
    this.law = law;
  }
}

const mandatory = [
  ['leaseCounter', 'number'],
  ['ownerSwitchesSinceCheckpoint', 'number'],
  ['checkpoint', 'string'],
  ['checkpointSubSequenceNumber', 'number'],
] as const;

/** Watches everything that happens in the world; throws nothing itself, but keeps the first breach of each law. */
export class Laws {
  readonly broken: LawBroken[] = [];
  readonly #model: ShardModel;
  /** Per shard: all records up to this index have been delivered. */
  readonly #delivered = new Map<string, number>();
  /** Per lease: the counter with which it was last taken, as the table saw it. */
  readonly #fences = new Map<string, number>();

  constructor(model: ShardModel) {
    this.#model = model;
  }

  breach(law: Law, what: string): void {
    if (!this.broken.some((breach) => breach.law === law)) this.broken.push(new LawBroken(law, what));
  }

  deliveredUpTo(shardId: string): number {
    return this.#delivered.get(shardId) ?? 0;
  }

  /** A process is about to act on the records after `from`, up to `to`. */
  onDelivery(process: string, lease: HeldLease, from: number, to: number): void {
    const { shardId, fence } = lease;
    const what = `${process} (fence ${fence}) on ${shardId} ${from}…${to}`;
    if (lease.lost.aborted) this.breach('I4 nothing after loss', what);
    const last = this.#fences.get(lease.leaseKey);
    if (last !== fence) this.breach('I5 one owner', `${what}, last taken as ${last}`);
    if (from > this.deliveredUpTo(shardId)) this.breach('I1 nothing missed', what);
    for (const parent of this.#model.get(shardId).parents) {
      const end = this.#model.count(this.#model.get(parent));
      if (this.deliveredUpTo(parent) < end) this.breach('I2 parents first', `${what}, before ${parent}`);
    }
    this.#delivered.set(shardId, Math.max(to, this.deliveredUpTo(shardId)));
  }

  /** Looks at every write as it lands. */
  watch(table: LeaseTable): LeaseTable {
    const update = async (write: LeaseWrite): Promise<TableOutcome> => {
      const before = await table.get(write.leaseKey);
      const outcome = await table.update(write);
      if (outcome.done && before !== undefined) this.#onWrite(before, outcome.item);
      const taken = outcome.done && write.set.incarnation !== undefined;
      if (taken) this.#fences.set(write.leaseKey, Number(outcome.item.leaseCounter));
      return outcome;
    };
    const insert: LeaseTable['insert'] = async (leaseKey, item) => {
      const outcome = await table.insert(leaseKey, item);
      if (outcome.done) this.#read(outcome.item);
      return outcome;
    };
    return { ...table, insert, update };
  }

  #onWrite(before: Item, after: Item): void {
    const old = this.#read(before);
    const now = this.#read(after);
    if (old === undefined || now === undefined) return;
    if (compareCheckpoints(now.checkpoint, old.checkpoint) < 0) {
      this.breach(
        'I3 checkpoint forward',
        `${now.leaseKey}: ${String(before.checkpoint)} → ${String(after.checkpoint)}`,
      );
    }
  }

  #read(item: Item): Lease | undefined {
    const parsed = parseItem(item);
    if (parsed.type !== 'lease') this.breach('I7 Java reads it', JSON.stringify(parsed));
    for (const [name, type] of mandatory) {
      if (typeof item[name] !== type) this.breach('I7 Java reads it', `${String(item.leaseKey)}: ${name}`);
    }
    for (const [name, value] of Object.entries(item)) {
      const empty = value === '' || (value instanceof Set && value.size === 0);
      if (empty) this.breach('I7 Java reads it', `${String(item.leaseKey)}: ${name} is empty`);
    }
    return parsed.type === 'lease' ? parsed.lease : undefined;
  }
}
