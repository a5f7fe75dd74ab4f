import type { WorkerContext } from './holding.ts';
import { availability, type Availability, observed, type Seen } from './fleet-view.ts';
import { isBlocked, type Lease, siblingKey } from './lease.ts';
import type { ParsedItem } from './lease-item.ts';
import { wholeTable } from './lease-store.ts';
import type { StreamLeases } from './stream-leases.ts';

/** What this worker knows of the whole lease table: the leases of its streams, and since when they stand so. */
export class Fleet {
  readonly #context: WorkerContext;
  readonly #streams: ReadonlyMap<string | undefined, StreamLeases>;
  readonly #seen = new Map<string, Seen>();
  /** What was reported of items that are set aside: each once, until it changes. */
  readonly #setAside = new Map<string, string>();
  readonly #onSeen: (lease: Lease) => void;

  /** `onSeen` is told of every lease that was read, by whatever way. */
  constructor(context: WorkerContext, streams: readonly StreamLeases[], onSeen: (lease: Lease) => void) {
    this.#context = context;
    this.#streams = new Map(streams.map((stream) => [stream.streamId, stream]));
    this.#onSeen = onSeen;
  }

  /** Reads the whole table, unless `signal` aborts. */
  async survey(signal: AbortSignal): Promise<void> {
    const startedAtMs = this.#context.clock.monotonic();
    for await (const page of this.#context.store.list(wholeTable)) {
      if (signal.aborted) return;
      for (const item of page) this.#read(item);
    }
    for (const [leaseKey, seen] of this.#seen) {
      if (seen.readAtMs < startedAtMs) this.#seen.delete(leaseKey);
    }
  }

  /** Reads single leases, strongly consistent. */
  async look(leaseKeys: readonly string[]): Promise<void> {
    for (const leaseKey of leaseKeys) {
      const item = await this.#context.store.get(leaseKey);
      if (item === undefined) this.#seen.delete(leaseKey);
      else this.#read(item);
    }
  }

  see(lease: Lease): void {
    const before = this.#seen.get(lease.leaseKey);
    this.#seen.set(lease.leaseKey, observed(before, lease, this.#context.clock.monotonic()));
    this.#onSeen(lease);
  }

  forget(leaseKey: string): void {
    this.#seen.delete(leaseKey);
  }

  all(): readonly Seen[] {
    return [...this.#seen.values()];
  }

  seen(leaseKey: string): Seen | undefined {
    return this.#seen.get(leaseKey);
  }

  get(leaseKey: string): Lease | undefined {
    return this.#seen.get(leaseKey)?.lease;
  }

  of(stream: StreamLeases): readonly Lease[] {
    return this.all()
      .map(({ lease }) => lease)
      .filter((lease) => lease.streamId === stream.streamId);
  }

  streamOf(lease: Lease): StreamLeases | undefined {
    return this.#streams.get(lease.streamId);
  }

  availability(seen: Seen): Availability {
    return availability(seen, this.#context, this.#context.timings);
  }

  /** By what was seen; whoever takes the lease looks again. */
  blocked(lease: Lease): boolean {
    return isBlocked(lease, (shardId) => this.get(siblingKey(lease, shardId)));
  }

  /** Leases that have been quiet for so long that the next look decides whether they may be taken. */
  stale(): readonly string[] {
    const nowMs = this.#context.clock.monotonic();
    return this.all()
      .filter((seen) => {
        const state = this.availability(seen);
        return state.type === 'busy' && state.untilMs <= nowMs;
      })
      .map(({ lease }) => lease.leaseKey);
  }

  #read(item: ParsedItem): void {
    switch (item.type) {
      case 'foreign':
        return this.#putAside(item.leaseKey, [`entityType ${item.entityType}`]);
      case 'malformed':
        return this.#putAside(item.leaseKey, item.problems);
      case 'lease': {
        const { lease } = item;
        if (this.streamOf(lease) !== undefined) return this.see(lease);
        const stream = lease.streamId ?? 'a table of one stream';
        return this.#putAside(lease.leaseKey, [`it belongs to ${stream}, which this worker does not read`]);
      }
    }
  }

  #putAside(leaseKey: string, problems: readonly string[]): void {
    this.#seen.delete(leaseKey);
    const text = problems.join('; ');
    if (this.#setAside.get(leaseKey) === text) return;
    this.#setAside.set(leaseKey, text);
    this.#context.report({ type: 'item-set-aside', leaseKey, problems });
  }
}
