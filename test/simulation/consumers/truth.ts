import { comparePositions, type Position } from '../../../lib/streams/position.ts';

/**
 * `good`: can be handled. `flaky`: the first tries of each owner fail. `poison`: never can. `garbage`: is no event.
 * `repeat`: a second copy of an event. `foreign`: lies in an aggregate, but its key belongs to another shard.
 */
export type RecordKind = 'good' | 'flaky' | 'poison' | 'garbage' | 'repeat' | 'foreign';

/** A user record as it was put, and what has become of it. */
export interface PutRecord {
  readonly shardId: string;
  /** From 0, in the order of the shard. */
  readonly index: number;
  readonly position: Position;
  readonly key: string;
  /** Of the event; of garbage a name made from its position. */
  readonly id: string;
  readonly kind: RecordKind;
  readonly data: Uint8Array;
  /** Some owner has handled it or written its letter. */
  handled: boolean;
  /** What was done with it outlives the process that did it. */
  safe: boolean;
  /** Kinesis has forgotten it: no reader can be blamed for missing it. */
  trimmed: boolean;
}

/** What was put on one shard. */
export class ShardTruth {
  readonly shardId: string;
  readonly parents: readonly string[];
  readonly records: PutRecord[] = [];
  #safeUpTo = 0;

  constructor(shardId: string, parents: readonly string[]) {
    this.shardId = shardId;
    this.parents = parents;
  }

  /** All records before this index are safe, or cannot be asked for. */
  safeUpTo(): number {
    for (let next = this.records[this.#safeUpTo]; next && isSettled(next); ) {
      next = this.records[(this.#safeUpTo += 1)];
    }
    return this.#safeUpTo;
  }

  isSafe(): boolean {
    return this.safeUpTo() === this.records.length;
  }

  /** How many records lie at or before a position. */
  countUpTo(position: Position): number {
    let low = 0;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const record = this.records[middle];
      if (record && comparePositions(record.position, position) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  at(position: Position): PutRecord | undefined {
    const record = this.records[this.countUpTo(position) - 1];
    return record && comparePositions(record.position, position) === 0 ? record : undefined;
  }
}

export function isSettled(record: PutRecord): boolean {
  return record.safe || record.trimmed || record.kind === 'foreign';
}

/** Everything that was put on the stream: what consumers are measured by. */
export class Truth {
  readonly #shards = new Map<string, ShardTruth>();
  readonly #ofKey = new Map<string, { readonly records: PutRecord[]; next: number }>();

  all(): readonly ShardTruth[] {
    return [...this.#shards.values()];
  }

  records(): readonly PutRecord[] {
    return this.all().flatMap((shard) => shard.records);
  }

  shard(shardId: string): ShardTruth | undefined {
    return this.#shards.get(shardId);
  }

  open(shardId: string, parents: readonly string[]): void {
    if (!this.#shards.has(shardId)) this.#shards.set(shardId, new ShardTruth(shardId, parents));
  }

  add(put: Pick<PutRecord, 'shardId' | 'position' | 'key' | 'id' | 'kind' | 'data'>): void {
    const shard = this.#shards.get(put.shardId);
    if (shard === undefined) throw new Error(`no shard ${put.shardId}`);
    const record = { ...put, index: shard.records.length, handled: false, safe: false, trimmed: false };
    shard.records.push(record);
    if (put.kind === 'foreign') return;
    const ofKey = this.#ofKey.get(put.key) ?? { records: [], next: 0 };
    this.#ofKey.set(put.key, ofKey);
    ofKey.records.push(record);
  }

  /** Somebody has handled it. The record of its key that should have been handled before it, if there is one. */
  handle(record: PutRecord): PutRecord | undefined {
    const ofKey = this.#ofKey.get(record.key);
    record.handled = true;
    if (ofKey === undefined) return undefined;
    const isOver = (earlier: PutRecord | undefined): boolean =>
      earlier !== undefined && (earlier.handled || earlier.trimmed);
    while (isOver(ofKey.records[ofKey.next])) ofKey.next += 1;
    const missing = ofKey.records[ofKey.next];
    return missing !== undefined && ofKey.records.indexOf(record) > ofKey.next ? missing : undefined;
  }

  /** Kinesis forgets all that was put so far. The shards where somebody has not yet had everything. */
  trim(): readonly string[] {
    const unread = this.all().filter((shard) => !shard.isSafe());
    for (const record of this.records()) record.trimmed = true;
    return unread.map(({ shardId }) => shardId);
  }
}
