import { compareSequenceNumbers } from '../streams/position.ts';
import type { Shard } from '../streams/kinesis.ts';
import { isInitial } from './checkpoint.ts';
import { isFinished, type Lease, siblingKey } from './lease.ts';
import { childLease, latestPin, newLease, type StreamLeases } from './stream-leases.ts';

export interface SyncInput {
  readonly stream: StreamLeases;
  /** All shards that the stream still knows, closed ones included. */
  readonly shards: readonly Shard[];
  /** All leases of this stream. */
  readonly leases: readonly Lease[];
  readonly nowMs: number;
}

/**
 * The leases that have to be created so that every open shard is read sooner or later, parents before children.
 * Where a shard's ancestors are still being read nothing is created: its lease comes when its parents end. Every
 * worker may do this at any time: the outcome depends on the shards and leases only, and creation is conditional.
 */
export function missingLeases(input: SyncInput): readonly Lease[] {
  const { leases, nowMs, stream } = input;
  const leased = new Map(leases.map((lease) => [lease.shardId, lease]));
  const unread = unreadShards(input, leased);
  const pinMs = stream.initial.type === 'LATEST' ? latestPin(leases, nowMs) : undefined;
  // In a table that is in use it may have been there before, and been deleted: fences must go on to grow. No lease was
  // ever written a thousand times a second.
  const counter = leases.length === 0 ? 0 : nowMs;
  const created: Lease[] = [];
  for (const shard of unread.values()) {
    const waits = shard.parents.some((parent) => {
      const lease = leased.get(parent);
      return unread.has(parent) || (lease !== undefined && !isFinished(lease));
    });
    if (waits) continue;
    const [parent] = shard.parents.flatMap((shardId) => leased.get(shardId) ?? []);
    const lease =
      parent === undefined
        ? rootLease(stream, shard, pinMs)
        : childLease(stream, shard, { startAtMs: pinMs, replay: parent.replay });
    created.push({ ...lease, counter });
  }
  return created;
}

/** Shards without a lease that have to be read, parents first: open ones, and their ancestors as far as needed. */
function unreadShards(input: SyncInput, leased: ReadonlyMap<string, Lease>): ReadonlyMap<string, Shard> {
  const oldestFirst = [...input.shards].sort(byBeginning);
  const descendants = new Set(leased.keys());
  for (const { shardId, parents } of oldestFirst) {
    if (parents.some((parent) => descendants.has(parent))) descendants.add(shardId);
  }
  const needed = new Set<string>();
  for (const shard of oldestFirst.toReversed()) {
    const open = shard.endingSequenceNumber === undefined;
    if (leased.has(shard.shardId) || !(open || needed.has(shard.shardId))) continue;
    needed.add(shard.shardId);
    // At LATEST the past is of no interest, unless an ancestor has been read from.
    const pastMatters = input.stream.initial.type !== 'LATEST' || descendants.has(shard.shardId);
    if (pastMatters) for (const parent of shard.parents) needed.add(parent);
  }
  const unread = oldestFirst.filter(({ shardId }) => needed.has(shardId) && !leased.has(shardId));
  return new Map(unread.map((shard) => [shard.shardId, shard]));
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

/**
 * Those of them that can be told without a look at the stream: the parents' leases are gone, and each child that was
 * named when the lease was finished has been read from.
 */
export function supersededLeases(leases: readonly Lease[]): readonly Lease[] {
  const byKey = new Map(leases.map((lease) => [lease.leaseKey, lease]));
  return leases.filter((lease) => {
    const leased = (shardId: string): Lease | undefined => byKey.get(siblingKey(lease, shardId));
    if (!isFinished(lease) || lease.parents.some((parent) => leased(parent) !== undefined)) return false;
    const children = lease.children.map(leased);
    return (
      children.length > 0 && children.every((child) => child !== undefined && !isInitial(child.checkpoint))
    );
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
