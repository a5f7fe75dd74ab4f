import type { Clock } from '../runtime/clock.ts';
import { PlatformError } from '../runtime/errors.ts';
import { type Backoff, retry } from '../runtime/retry.ts';
import type { Shard, ShardFilter } from '../streams/kinesis.ts';
import { compareSequenceNumbers } from '../streams/position.ts';
import type { Lease } from './lease.ts';
import { type LeaseStore, LeaseStoreError, type WriteOutcome } from './lease-store.ts';
import type { Replay, WriteMark } from './lease-writes.ts';
import { type KeyFormat, newLease, type StreamLeases, streamLeases } from './stream-leases.ts';
import type { ShardLister } from './syncer.ts';

/** Tries of each call; then the replay ends, to be run again under the same id. */
const callBackoff: Backoff = { firstMs: 200, maxMs: 5_000, tries: 10 };
/** An owner writes every few seconds, so a reset that loses to it again and again means something else. */
const racesMax = 20;

export interface ReplaySettings {
  readonly store: LeaseStore;
  readonly kinesis: ShardLister;
  readonly stream: string;
  /** Names this replay. Run again under its id, after a crash say, it resets what it has not reset yet. */
  readonly id: string;
  /** Read again what arrived at this time or later (epoch milliseconds, not in the future), or all there is. */
  readonly from: Replay['from'];
  /** Only these; by default every shard that may hold such records, closed ones included. */
  readonly shards?: readonly string[];
  /** As the workers of this table have it. `shard` by default. */
  readonly keyFormat?: KeyFormat;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

/** `created`: the lease of a closed shard had been cleaned up. `done-before`: by an earlier run of this replay. */
export interface ReplayedShard {
  readonly shardId: string;
  readonly outcome: 'reset' | 'created' | 'done-before';
}

/**
 * Has the workers of a lease table, who go on meanwhile, read shards again from an earlier time. Each lease's checkpoint
 * is moved back by one conditional write that fences its owner: the owner's next write fails, it drops what it has in
 * hand and starts the shard anew. The saved state goes with the old checkpoint. Parents are reset before their
 * children, so that children wait for them again. Nothing else ever moves a checkpoint back.
 *
 * @throws PlatformError `replay-without-id`, `replay-in-future`, `shard-not-found`, `lease-unreadable`, `replay-contended`; LeaseStoreError
 * and KinesisError. After any of them run it again under the same id.
 */
export async function replay(
  settings: ReplaySettings,
  signal?: AbortSignal,
): Promise<readonly ReplayedShard[]> {
  const { clock, from, id, kinesis, keyFormat = 'shard', stream } = settings;
  if (id === '') throw new PlatformError('replay-without-id', 'Give each replay an id of its own');
  if (from.type === 'AT_TIMESTAMP' && from.timestampMs > clock.now()) {
    throw new PlatformError(
      'replay-in-future',
      `A replay from ${from.timestampMs}: that time is yet to come`,
    );
  }
  const found = await kinesis.describe(stream, signal);
  const ran = new Run(settings, streamLeases(found, keyFormat, from));
  const shards = [...(await kinesis.listShards(stream, since(from), signal))].sort(byBeginning);
  const replayed: ReplayedShard[] = [];
  for (const shard of chosen(shards, settings)) {
    signal?.throwIfAborted();
    replayed.push({ shardId: shard.shardId, outcome: await ran.reset(shard, shards) });
  }
  return replayed;
}

/** The shards that were open at that time, and all later ones. */
function since(from: Replay['from']): ShardFilter {
  return from.type === 'TRIM_HORIZON'
    ? { type: 'FROM_TRIM_HORIZON' }
    : { type: 'FROM_TIMESTAMP', timestampMs: from.timestampMs };
}

function byBeginning(a: Shard, b: Shard): number {
  return compareSequenceNumbers(a.startingSequenceNumber, b.startingSequenceNumber);
}

function chosen(shards: readonly Shard[], { shards: only, stream }: ReplaySettings): readonly Shard[] {
  const unknown = only?.filter((shardId) => !shards.some((shard) => shard.shardId === shardId)) ?? [];
  if (unknown.length > 0) {
    const what = `${stream} has no shard ${unknown.join(', ')} with records of that time`;
    throw new PlatformError('shard-not-found', what);
  }
  return only === undefined ? shards : shards.filter(({ shardId }) => only.includes(shardId));
}

class Run {
  readonly #settings: ReplaySettings;
  readonly #stream: StreamLeases;

  constructor(settings: ReplaySettings, stream: StreamLeases) {
    this.#settings = settings;
    this.#stream = stream;
  }

  async reset(shard: Shard, shards: readonly Shard[]): Promise<ReplayedShard['outcome']> {
    const { id, store } = this.#settings;
    for (let races = 0; races < racesMax; races += 1) {
      const mark = this.#mark();
      const lease = await this.#lease(shard);
      if (lease?.replay === id) return 'done-before';
      if (lease === undefined) {
        if (await this.#ledOn(shard, shards)) return 'done-before';
        // As in shard-sync.ts: fences must go on to grow.
        const fresh = { ...this.#newLease(shard), counter: this.#settings.clock.now() };
        const created = await this.#patiently(() => store.create(fresh, mark));
        if (created.type === 'won') return 'created';
        continue;
      }
      const outcome = await this.#patiently(() => store.reset(lease, this.#settings, mark));
      if (outcome.type === 'won') return 'reset';
    }
    const what = `The lease of ${shard.shardId} was written by others ${racesMax} times while it was to be reset`;
    throw new PlatformError('replay-contended', `${what}: run the replay again`, { retryable: true });
  }

  /**
   * A lease that is gone had been cleaned up: before this replay, or after an earlier run of it had its shard read
   * again. Parents are reset first, so in the second case the lease of a descendant carries the replay's id.
   */
  async #ledOn(shard: Shard, shards: readonly Shard[]): Promise<boolean> {
    for (const child of shards.filter(({ parents }) => parents.includes(shard.shardId))) {
      const lease = await this.#lease(child);
      if (lease === undefined ? await this.#ledOn(child, shards) : lease.replay === this.#settings.id)
        return true;
    }
    return false;
  }

  async #lease(shard: Shard): Promise<Lease | undefined> {
    const { leaseKey } = this.#newLease(shard);
    const item = await this.#patiently(() => this.#settings.store.get(leaseKey));
    if (item === undefined || item.type === 'lease') return item?.lease;
    const problems = item.type === 'foreign' ? [`entityType ${item.entityType}`] : item.problems;
    throw new PlatformError('lease-unreadable', `The item ${leaseKey} is no lease: ${problems.join('; ')}`);
  }

  #newLease(shard: Shard): Lease {
    const { from, id } = this.#settings;
    const startAtMs = from.type === 'AT_TIMESTAMP' ? from.timestampMs : undefined;
    return { ...newLease(this.#stream, shard, { checkpoint: { type: from.type }, startAtMs }), replay: id };
  }

  #mark(): WriteMark {
    const { id, random } = this.#settings;
    const nonce = `${random().toString(36).slice(2)}${random().toString(36).slice(2)}`;
    return { worker: id, incarnation: id, nonce };
  }

  /** The same write is sent again where its answer was lost: its nonce shows whether it landed. */
  #patiently<T extends WriteOutcome | Awaited<ReturnType<LeaseStore['get']>>>(
    call: () => Promise<T>,
  ): Promise<T> {
    const { clock, random } = this.#settings;
    const retryable = (error: unknown): boolean => error instanceof LeaseStoreError && error.retryable;
    return retry(call, { backoff: callBackoff, retryable, clock, random });
  }
}
