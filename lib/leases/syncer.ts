import type { Kinesis, Shard } from '../streams/kinesis.ts';
import type { Fleet } from './fleet.ts';
import { newMark, type WorkerContext } from './worker-context.ts';
import { type Lease, siblingKey } from './lease.ts';
import { inParallel, shuffled } from './parallel.ts';
import { hashRangeHoles, missingLeases, removableLeases, supersededLeases } from './shard-sync.ts';
import type { StreamLeases } from './stream-leases.ts';

export type ShardLister = Pick<Kinesis, 'describe' | 'listShards'>;

/**
 * Leases created before the table is read again; it doubles. Workers that start together on a fresh table each make
 * other ones, see each other's after the first chunk, and try few twice.
 */
const firstChunk = 64;

/** Compares the shards of each stream with the leases, and makes and deletes what is needed. Any worker, any time. */
export class Syncer {
  readonly #context: WorkerContext;
  readonly #fleet: Fleet;
  readonly #kinesis: ShardLister;

  constructor(context: WorkerContext, fleet: Fleet, kinesis: ShardLister) {
    this.#context = context;
    this.#fleet = fleet;
    this.#kinesis = kinesis;
  }

  /** `onChunk` is awaited after each chunk of new leases, so that the first can be taken while others are made. */
  async sync(stream: StreamLeases, signal: AbortSignal, onChunk: () => Promise<void>): Promise<void> {
    const shards = await this.#kinesis.listShards(stream.name, undefined, signal);
    let created = 0;
    // Each once: where a damaged item stands in the way, its lease stays missing.
    const tried = new Set<string>();
    for (let chunk = firstChunk; !signal.aborted; chunk *= 2) {
      const all = await this.#missing(stream, shards, signal);
      const missing = all.filter(({ leaseKey }) => !tried.has(leaseKey));
      if (missing.length === 0) break;
      const now = shuffled(missing, this.#context.random).slice(0, chunk);
      for (const { leaseKey } of now) tried.add(leaseKey);
      await inParallel(now, async (lease) => {
        if (await this.#create(lease)) created += 1;
      });
      await onChunk();
      if (missing.length > chunk) await this.#fleet.survey(signal);
    }
    if (signal.aborted) return;
    await this.#remove(removableLeases(shards, this.#fleet.of(stream)));
    for (const hole of hashRangeHoles(shards, this.#fleet.of(stream))) {
      this.#context.report({ type: 'hash-range-hole', stream: stream.name, ...hole });
    }
    this.#context.report({ type: 'shards-synced', stream: stream.name, shards: shards.length, created });
  }

  /**
   * Deletes at once what each minute's sync would: until then a finished lease counts as load with KCL 2, and blocks
   * what KCL 3 calls its migration where it has no owner. Left alone is what another live worker of ours has finished,
   * which sees to it.
   */
  async tidy(): Promise<void> {
    const { worker } = this.#context;
    await this.#remove(
      supersededLeases(this.#fleet.all().map(({ lease }) => lease)).filter(({ leaseOwner: owner }) => {
        return owner === undefined || owner === worker || this.#fleet.kindOf(owner) === 'java';
      }),
    );
  }

  /**
   * A closed shard without a lease may have been read to its end and cleaned up, and its descendants' leases may only
   * not be in view yet. So before one is made again, what is not in view is looked for, strongly consistent.
   */
  async #missing(
    stream: StreamLeases,
    shards: readonly Shard[],
    signal: AbortSignal,
  ): Promise<readonly Lease[]> {
    const nowMs = await this.#pinMs(stream, signal);
    const find = (): readonly Lease[] => {
      return missingLeases({ stream, shards, leases: this.#fleet.of(stream), nowMs });
    };
    const missing = find();
    const closed = new Set(
      shards.filter((shard) => shard.endingSequenceNumber).map((shard) => shard.shardId),
    );
    const fresh = this.#fleet.of(stream).length === 0;
    if (fresh || !missing.some((lease) => closed.has(lease.shardId))) return missing;
    const keys = shards.map((shard) => siblingKey(stream, shard.shardId));
    await this.#fleet.look(keys.filter((key) => this.#fleet.get(key) === undefined));
    return find();
  }

  /**
   * Where LATEST begins if no lease says so yet: now, by the clock of the service that stamps the records. By a clock
   * that is fast, records would be left out; and one that is far ahead is a time that the service refuses.
   */
  async #pinMs(stream: StreamLeases, signal: AbortSignal): Promise<number> {
    const pinned = this.#fleet.of(stream).some(({ startAtMs }) => startAtMs !== undefined);
    if (stream.initial.type !== 'LATEST' || pinned) return this.#context.clock.now();
    return (await this.#kinesis.describe(stream.name, signal)).nowMs;
  }

  async #create(lease: Lease): Promise<boolean> {
    const outcome = await this.#context.store.create(lease, newMark(this.#context));
    if (outcome.type === 'won') {
      const { leaseKey, checkpoint } = lease;
      this.#fleet.see(outcome.lease);
      this.#context.report({ type: 'lease-created', leaseKey, checkpoint: checkpoint.type });
      return true;
    }
    if (outcome.type === 'lost') this.#fleet.see(outcome.current);
    return false;
  }

  async #remove(leases: readonly Lease[]): Promise<void> {
    for (const lease of leases) {
      const outcome = await this.#context.store.remove(lease);
      if (outcome.type === 'lost') {
        this.#fleet.see(outcome.current);
        continue;
      }
      this.#fleet.forget(lease.leaseKey);
      if (outcome.type === 'won') {
        this.#context.report({ type: 'lease-removed', leaseKey: lease.leaseKey });
      }
    }
  }
}
