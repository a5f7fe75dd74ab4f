import { compareSequenceNumbers } from '../streams/position.ts';
import type { Shard } from '../streams/kinesis.ts';
import { isInitial } from './checkpoint.ts';
import { isFinished, type Lease } from './lease.ts';
import { childLease, latestPin, newLease, type StreamLeases } from './stream-leases.ts';

export interface SyncInput {
  readonly stream: StreamLeases;
  /** All shards that the stream still knows, closed ones included. */
  readonly shards: readonly Shard[];
  /** All leases of this stream. */
  readonly leases: readonly Lease[];
  readonly nowMs: number;
}

/** `waiting`: a lease exists, or is to be created, and has to be read first. `done`: read to the end. */
type Standing = 'waiting' | 'done' | 'absent';

/**
 * The leases that have to be created so that every open shard is read sooner or later, parents before children.
 * Where a shard's ancestors are still being read nothing is created: its lease comes when its parents end. Every
 * worker may do this at any time: the outcome depends on the shards and leases only, and creation is conditional.
 */
export function missingLeases(input: SyncInput): readonly Lease[] {
  const sync = new Sync(input);
  const open = input.shards.filter((shard) => shard.endingSequenceNumber === undefined);
  for (const shard of [...open].sort(byBeginning)) sync.standing(shard.shardId);
  return sync.created;
}

class Sync {
  readonly created: Lease[] = [];
  readonly #input: SyncInput;
  readonly #shards: ReadonlyMap<string, Shard>;
  readonly #leases: ReadonlyMap<string, Lease>;
  readonly #standings = new Map<string, Standing>();
  readonly #descendants = new Map<string, boolean>();

  constructor(input: SyncInput) {
    this.#input = input;
    this.#shards = new Map(input.shards.map((shard) => [shard.shardId, shard]));
    this.#leases = new Map(input.leases.map((lease) => [lease.shardId, lease]));
  }

  standing(shardId: string): Standing {
    const known = this.#standings.get(shardId);
    if (known !== undefined) return known;
    const standing = this.#decide(shardId);
    this.#standings.set(shardId, standing);
    return standing;
  }

  #decide(shardId: string): Standing {
    const lease = this.#leases.get(shardId);
    if (lease !== undefined) return isFinished(lease) ? 'done' : 'waiting';
    const shard = this.#shards.get(shardId);
    if (shard === undefined) return 'absent';
    // At LATEST the past is of no interest, unless an ancestor has been read from.
    const parents = this.#fromLatest(shard) ? [] : shard.parents.map((parent) => this.standing(parent));
    if (!parents.includes('waiting')) this.#create(shard, parents.includes('done'));
    return 'waiting';
  }

  #fromLatest(shard: Shard): boolean {
    return this.#input.stream.initial.type === 'LATEST' && !this.#hasLeasedAncestor(shard);
  }

  #hasLeasedAncestor(shard: Shard): boolean {
    const known = this.#descendants.get(shard.shardId);
    if (known !== undefined) return known;
    const found = shard.parents.some((parent) => {
      const above = this.#shards.get(parent);
      return this.#leases.has(parent) || (above !== undefined && this.#hasLeasedAncestor(above));
    });
    this.#descendants.set(shard.shardId, found);
    return found;
  }

  #create(shard: Shard, afterParents: boolean): void {
    const { stream, leases, nowMs } = this.#input;
    const pin = stream.initial.type === 'LATEST' ? latestPin(leases, nowMs) : undefined;
    this.created.push(afterParents ? childLease(stream, shard, pin) : rootLease(stream, shard, pin));
  }
}

function rootLease(stream: StreamLeases, shard: Shard, pinMs: number | undefined): Lease {
  const { initial } = stream;
  const startAtMs = initial.type === 'AT_TIMESTAMP' ? initial.timestampMs : pinMs;
  return newLease(stream, shard, { checkpoint: { type: initial.type }, startAtMs });
}

function byBeginning(a: Shard, b: Shard): number {
  return compareSequenceNumbers(a.startingSequenceNumber, b.startingSequenceNumber);
}

/**
 * Finished leases that nothing depends on any more: the parents' leases are gone, and each child has been read from
 * (then it needs neither the parents' end nor their state) or is gone from stream and table alike.
 */
export function removableLeases(shards: readonly Shard[], leases: readonly Lease[]): readonly Lease[] {
  const listed = new Set(shards.map((shard) => shard.shardId));
  const byShard = new Map(leases.map((lease) => [lease.shardId, lease]));
  return leases.filter((lease) => {
    if (!isFinished(lease) || lease.parents.some((parent) => byShard.has(parent))) return false;
    const children = new Set([
      ...lease.children,
      ...shards.filter((shard) => shard.parents.includes(lease.shardId)).map((shard) => shard.shardId),
    ]);
    if (children.size === 0) return !listed.has(lease.shardId);
    return [...children].every((child) => {
      const childLeaseNow = byShard.get(child);
      return childLeaseNow === undefined ? !listed.has(child) : !isInitial(childLeaseNow.checkpoint);
    });
  });
}

const lastHashKey = 2n ** 128n - 1n;

/** Hash ranges that no unfinished lease covers. Leases of old Java workers without a range take their shard's. */
export function hashRangeHoles(
  shards: readonly Shard[],
  leases: readonly Lease[],
): readonly { readonly start: string; readonly end: string }[] {
  const byId = new Map(shards.map((shard) => [shard.shardId, shard]));
  const ranges = leases
    .filter((lease) => !isFinished(lease))
    .flatMap((lease) => {
      const shard = byId.get(lease.shardId);
      const start = lease.hashRange?.start ?? shard?.startingHashKey;
      const end = lease.hashRange?.end ?? shard?.endingHashKey;
      return start === undefined || end === undefined ? [] : [{ start: BigInt(start), end: BigInt(end) }];
    })
    .sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  const holes: { start: string; end: string }[] = [];
  let next = 0n;
  for (const range of [...ranges, { start: lastHashKey + 1n, end: lastHashKey }]) {
    if (range.start > next) holes.push({ start: String(next), end: String(range.start - 1n) });
    if (range.end >= next) next = range.end + 1n;
  }
  return holes;
}
