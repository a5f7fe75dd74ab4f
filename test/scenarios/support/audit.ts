import type { StreamRecord } from '../../../lib/consumer/processor.ts';
import { compareCheckpoints } from '../../../lib/leases/checkpoint.ts';
import { type Item, parseItem } from '../../../lib/leases/lease-item.ts';
import type { LeaseWrite } from '../../../lib/leases/lease-writes.ts';
import type { LeaseTable } from '../../../lib/leases/table-lease-store.ts';
import type { Shard } from '../../../lib/streams/kinesis.ts';

/** What Java's reader cannot do without; source: the Java KCL's Lease. */
const mandatory: Readonly<Record<string, string>> = {
  leaseCounter: 'number',
  ownerSwitchesSinceCheckpoint: 'number',
  checkpoint: 'string',
  checkpointSubSequenceNumber: 'number',
};

export interface Delivered {
  readonly worker: string;
  readonly shardId: string;
  readonly fence: number;
  readonly text: string;
  readonly atMs: number;
}

/** Watches all deliveries and all writes to the lease table, and notes each breach of the invariants I1 … I5, I7. */
export class Audit {
  readonly breaches: string[] = [];
  readonly delivered: Delivered[] = [];
  readonly #shards: () => readonly Shard[];
  readonly #nowMs: () => number;
  /** Per shard: the place of each record that was put, by its sequence number. */
  readonly #put = new Map<string, Map<string, number>>();
  /** Per shard: how many of its records have been delivered, counted from its first without a gap. */
  readonly #frontier = new Map<string, number>();
  /** Per shard: the counter with which it was last taken. */
  readonly #fences = new Map<string, number>();
  /** Per acquisition: the place of the last record that was done. */
  readonly #done = new Map<string, number>();

  constructor(shards: () => readonly Shard[], nowMs: () => number) {
    this.#shards = shards;
    this.#nowMs = nowMs;
  }

  put(shardId: string, sequenceNumber: string): void {
    const places = this.#places(shardId);
    places.set(sequenceNumber, places.size);
    this.#put.set(shardId, places);
  }

  /** Records that have not been delivered, over all shards. */
  undelivered(): number {
    const left = [...this.#put].map(([shardId, places]) => places.size - this.#reached(shardId));
    return left.reduce((sum, count) => sum + count, 0);
  }

  /** How often each record was delivered more than once, by its text. */
  repeated(): readonly string[] {
    const seen = new Set<string>();
    return this.delivered.flatMap(({ text }) => {
      const again = seen.has(text);
      seen.add(text);
      return again ? [text] : [];
    });
  }

  /** A worker is about to act on these records. */
  begin(worker: string, fence: number, lost: boolean, records: readonly StreamRecord[]): void {
    const [first] = records;
    if (first === undefined) return;
    const what = `${worker} (fence ${fence}) on ${first.shardId} at ${first.position.sequenceNumber}`;
    if (lost) this.breaches.push(`I4 delivered after the loss: ${what}`);
    if (this.#fences.get(first.shardId) !== fence) this.breaches.push(`I5 two owners: ${what}`);
    const at = this.#place(first);
    if (at > this.#reached(first.shardId)) this.breaches.push(`I1 records left out: ${what}`);
    for (const parent of this.#parents(first.shardId)) {
      const unread = this.#reached(parent) < this.#places(parent).size;
      if (unread) this.breaches.push(`I2 before the end of ${parent}: ${what}`);
    }
  }

  /** It has acted on them. */
  end(worker: string, fence: number, records: readonly StreamRecord[]): void {
    for (const record of records) {
      this.setAside(fence, record);
      const text = new TextDecoder().decode(record.data);
      this.delivered.push({ worker, shardId: record.shardId, fence, text, atMs: this.#nowMs() });
    }
  }

  /** This record is done, if only by a dead letter. */
  setAside(fence: number, record: StreamRecord): void {
    const { position, shardId } = record;
    const at = this.#place(record);
    const owner = `${shardId} ${fence}`;
    const before = this.#done.get(owner);
    const inOrder =
      before === undefined || at === before + 1 || (at === before && position.subSequenceNumber > 0);
    if (!inOrder) this.breaches.push(`I2 out of order: ${owner} ${before} → ${at}`);
    this.#done.set(owner, at);
    this.#frontier.set(shardId, Math.max(at + 1, this.#reached(shardId)));
  }

  /** The table, with every write looked at as it lands. */
  watch(table: LeaseTable): LeaseTable {
    return {
      ...table,
      insert: async (leaseKey, item) => {
        const outcome = await table.insert(leaseKey, item);
        if (outcome.done) this.#readable(outcome.item);
        return outcome;
      },
      update: async (write) => {
        const before = await table.get(write.leaseKey);
        const outcome = await table.update(write);
        if (outcome.done && before !== undefined) this.#onWrite(before, outcome.item, write);
        return outcome;
      },
    };
  }

  #onWrite(before: Item, after: Item, write: LeaseWrite): void {
    this.#readable(after);
    const [old, now] = [parseItem(before), parseItem(after)];
    if (old.type !== 'lease' || now.type !== 'lease') return;
    const { checkpoint, counter, replay, shardId } = now.lease;
    if (write.set.incarnation !== undefined) this.#fences.set(shardId, counter);
    const back = compareCheckpoints(checkpoint, old.lease.checkpoint) < 0;
    if (back && replay === old.lease.replay) this.breaches.push(`I3 checkpoint moved back: ${shardId}`);
    if (checkpoint.type !== 'POSITION') return;
    const at = this.#places(shardId).get(checkpoint.sequenceNumber) ?? -1;
    if (at >= this.#reached(shardId)) this.breaches.push(`I1 checkpoint ahead of what was done: ${shardId}`);
  }

  #readable(item: Item): void {
    const bad = Object.entries(mandatory).find(([name, type]) => typeof item[name] !== type);
    if (bad !== undefined || parseItem(item).type !== 'lease') {
      this.breaches.push(`I7 not readable by Java: ${JSON.stringify(item)}`);
    }
  }

  #reached(shardId: string): number {
    return this.#frontier.get(shardId) ?? 0;
  }

  #place({ position, shardId }: StreamRecord): number {
    return this.#places(shardId).get(position.sequenceNumber) ?? -1;
  }

  #parents(shardId: string): readonly string[] {
    return this.#shards().find((shard) => shard.shardId === shardId)?.parents ?? [];
  }

  #places(shardId: string): Map<string, number> {
    return this.#put.get(shardId) ?? new Map<string, number>();
  }
}
