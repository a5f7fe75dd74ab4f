import type { TakeReason } from './diagnostics.ts';
import type { Fleet } from './fleet.ts';
import type { Seen } from './fleet-view.ts';
import { newMark, type WorkerContext } from './holding.ts';
import { actualOwner, type Lease } from './lease.ts';
import { type Plan, plan, type PlannedLease } from './plan.ts';
import type { Tenures } from './tenures.ts';

/** Writes under way at once. More would only queue in the SDK's sockets (50 by default). */
const parallel = 16;
/**
 * Takes of the first round. It doubles each time there is more to take, and the table is read in between: so many
 * workers that start together on a fresh table share it, and one alone has 5,000 shards after nine rounds.
 */
const firstBurst = 16;
/** An owner has shown its throughput after so long. */
const settledMs = 60_000;

/** Decides which leases this worker wants, and gets them. Not to be run twice at once. */
export class Taker {
  readonly #context: WorkerContext;
  readonly #fleet: Fleet;
  readonly #tenures: Tenures;
  readonly #maxLeases: number;
  readonly #unowned = new Set<string>();
  #burst = firstBurst;
  #waiting = 0;

  constructor(context: WorkerContext, fleet: Fleet, tenures: Tenures, maxLeases: number) {
    this.#context = context;
    this.#fleet = fleet;
    this.#tenures = tenures;
    this.#maxLeases = maxLeases;
  }

  /** True if there is more to take than this round took. */
  async act(): Promise<boolean> {
    const own = this.#fleet.all().filter((seen) => this.#isOwn(seen));
    await inParallel(own, ({ lease }) => this.#takeOwn(lease));
    const { takes, asks, waiting } = this.#plan();
    this.#reportWaiting(waiting);
    const now = this.#shuffled(takes).slice(0, this.#burst);
    await inParallel(now, (leaseKey) => this.#take(leaseKey));
    await inParallel(this.#polite(asks), ({ leaseKey, from }) => this.#ask(leaseKey, from));
    this.#reportUnowned();
    const more = takes.length > now.length;
    this.#burst = more ? this.#burst * 2 : firstBurst;
    return more;
  }

  /** While this worker stops, what others give it is put back at once. */
  async passOn(): Promise<void> {
    const given = this.#fleet.all().filter(({ lease }) => {
      return lease.offered && lease.leaseOwner === this.#context.worker;
    });
    await inParallel(given, ({ lease }) => this.#putBack(lease));
  }

  /** The live leases as the planner wants them, and who is alive. */
  planned(): { readonly leases: readonly PlannedLease[]; readonly workers: readonly string[] } {
    const nowMs = this.#context.clock.monotonic();
    const leases: PlannedLease[] = [];
    const workers = new Set([this.#context.worker]);
    for (const seen of this.#fleet.all()) {
      const lease = this.#plannedLease(seen, nowMs);
      if (lease === undefined) continue;
      leases.push(lease);
      if (lease.owner !== undefined) workers.add(lease.owner);
      const present = lease.owner === undefined ? undefined : actualOwner(seen.lease);
      if (present !== undefined) workers.add(present);
    }
    return { leases, workers: [...workers].sort() };
  }

  #plan(): Plan {
    const { leases, workers } = this.planned();
    const graceMs = 2 * this.#context.timings.pollMs;
    return plan({ me: this.#context.worker, workers, leases, maxLeases: this.#maxLeases, graceMs });
  }

  #plannedLease(seen: Seen, nowMs: number): PlannedLease | undefined {
    const { leaseKey } = seen.lease;
    const holding = this.#tenures.get(leaseKey);
    const lease = holding !== undefined && !holding.ended ? holding.lease : seen.lease;
    const state = this.#fleet.availability(seen);
    const free = state.type === 'free' && state.reason !== 'own' && (holding === undefined || holding.ended);
    if (state.type === 'finished' || this.#fleet.blocked(lease)) return undefined;
    if (free && !this.#tenures.mayBegin(leaseKey)) return undefined;
    return {
      leaseKey,
      owner: free ? undefined : lease.leaseOwner,
      freeForMs: free ? nowMs - state.sinceMs : 0,
      movable: !free && lease.checkpointOwner === undefined && !lease.offered,
      settled: nowMs - seen.ownerSinceMs >= settledMs,
      throughputKBps: lease.throughputKBps,
    };
  }

  #isOwn(seen: Seen): boolean {
    const state = this.#fleet.availability(seen);
    return state.type === 'free' && state.reason === 'own' && this.#tenures.mayBegin(seen.lease.leaseKey);
  }

  async #takeOwn(lease: Lease): Promise<void> {
    if (this.#tenures.size >= this.#maxLeases) await this.#putBack(lease);
    else await this.#takeAs(lease, 'own');
  }

  async #putBack(lease: Lease): Promise<void> {
    const outcome = await this.#context.store.release(lease, newMark(this.#context));
    if (outcome.type !== 'won') return;
    this.#fleet.see(outcome.lease);
    this.#context.report({ type: 'lease-released', leaseKey: lease.leaseKey });
  }

  async #take(leaseKey: string): Promise<void> {
    const seen = this.#fleet.seen(leaseKey);
    if (seen === undefined) return;
    const state = this.#fleet.availability(seen);
    if (state.type === 'free') await this.#takeAs(seen.lease, state.reason);
  }

  async #takeAs(lease: Lease, reason: TakeReason): Promise<void> {
    const stream = this.#fleet.streamOf(lease);
    if (stream === undefined || !this.#tenures.mayBegin(lease.leaseKey)) return;
    const takenAtMs = this.#context.clock.monotonic();
    const outcome = await this.#context.store.take(lease, newMark(this.#context));
    switch (outcome.type) {
      case 'won':
        this.#tenures.begin(outcome.lease, lease, takenAtMs, reason, stream);
        this.#fleet.see(outcome.lease);
        return;
      case 'lost':
        return this.#fleet.see(outcome.current);
      case 'missing':
      case 'unreadable':
        return this.#fleet.forget(lease.leaseKey);
    }
  }

  /**
   * A worker of ours is asked to hand over. One that is not ours may be a KCL 2.x, which does not know hand-offs:
   * its lease is taken as its own peers would take it, and it learns of that at its next write.
   */
  async #ask(leaseKey: string, from: string): Promise<void> {
    const { report, store, worker } = this.#context;
    const lease = this.#fleet.get(leaseKey);
    // Since the plan was made it may have been handed over or finished.
    if (lease?.leaseOwner !== from || lease.checkpointOwner !== undefined) return;
    if (lease.incarnation === undefined) return this.#takeAs(lease, 'steal');
    const outcome = await store.requestHandoff(lease, from, worker);
    if (outcome.type === 'won') {
      this.#fleet.see(outcome.lease);
      report({ type: 'handoff-requested', leaseKey, from });
    } else if (outcome.type === 'lost') {
      this.#fleet.see(outcome.current);
    }
  }

  /** Of workers that are not ours one lease a round, as they do among themselves. */
  #polite(asks: Plan['asks']): Plan['asks'] {
    const isOurs = (leaseKey: string): boolean => this.#fleet.get(leaseKey)?.incarnation !== undefined;
    const foreign = asks.filter(({ leaseKey }) => !isOurs(leaseKey));
    return [...asks.filter(({ leaseKey }) => isOurs(leaseKey)), ...foreign.slice(0, 1)];
  }

  #shuffled(leaseKeys: readonly string[]): readonly string[] {
    return leaseKeys
      .map((leaseKey) => ({ leaseKey, at: this.#context.random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ leaseKey }) => leaseKey);
  }

  #reportWaiting(waiting: number): void {
    if (waiting > 0 && waiting !== this.#waiting) {
      this.#context.report({ type: 'at-capacity', maxLeases: this.#maxLeases, waiting });
    }
    this.#waiting = waiting;
  }

  /** Each lease once, as long as it stays unowned. */
  #reportUnowned(): void {
    const nowMs = this.#context.clock.monotonic();
    for (const seen of this.#fleet.all()) {
      const { leaseKey } = seen.lease;
      const state = this.#fleet.availability(seen);
      const free = state.type === 'free' && !this.#tenures.get(leaseKey) && !this.#fleet.blocked(seen.lease);
      if (!free) {
        this.#unowned.delete(leaseKey);
        continue;
      }
      const forMs = nowMs - state.sinceMs;
      if (forMs < this.#context.timings.failoverMs || this.#unowned.has(leaseKey)) continue;
      this.#unowned.add(leaseKey);
      this.#context.report({ type: 'shard-unowned', leaseKey, forMs });
    }
  }
}

/** Waits for all, also where one fails: a round is not over while a write of it is under way. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const failures: unknown[] = [];
  const drainQueue = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, drainQueue));
  if (failures.length > 0) throw failures[0];
}
