import type { Cadence } from './cadence.ts';
import type { TakeReason } from './diagnostics.ts';
import type { Fleet } from './fleet.ts';
import type { Seen } from './fleet-view.ts';
import type { FleetMode } from './kcl3/fleet-mode.ts';
import { newMark, sendNow, type WorkerContext } from './worker-context.ts';
import { actualOwner, isFinished, type Lease } from './lease.ts';
import type { WriteOutcome } from './lease-store.ts';
import { inParallel, shuffled } from './parallel.ts';
import { type Plan, plan, type PlannedLease } from './plan.ts';
import type { Ringer } from './ringer.ts';
import type { Tenures } from './tenures.ts';

/**
 * Takes of the first round; it doubles while there is more to take. Each take that is lost shows who has the lease,
 * so workers that start together on a fresh table soon know of each other and share it.
 */
const firstBurst = 16;
/** An owner has shown its throughput after so long. */
const settledMs = 60_000;
/**
 * In failover times: where a Java leader assigns, what is free is left to it for so long. It looks once in two of them,
 * sees in its second look that a lease has expired, and takes all for fresh when it has just become the leader.
 */
const leaderFailovers = 4;

/** Decides which leases this worker wants, and gets them. Not to be run twice at once. */
export class Taker {
  readonly #context: WorkerContext;
  readonly #fleet: Fleet;
  readonly #tenures: Tenures;
  readonly #ringer: Ringer;
  readonly #maxLeases: number;
  readonly #mode: () => FleetMode;
  readonly #unowned = new Set<string>();
  /** Workers that were given or asked for something in this round. */
  readonly #addressed = new Set<string>();
  #waiting = 0;

  constructor(
    context: WorkerContext,
    fleet: Fleet,
    tenures: Tenures,
    ringer: Ringer,
    options: { readonly maxLeases: number; readonly mode: () => FleetMode },
  ) {
    this.#context = context;
    this.#fleet = fleet;
    this.#tenures = tenures;
    this.#ringer = ringer;
    this.#maxLeases = options.maxLeases;
    this.#mode = options.mode;
  }

  /** Takes and asks for what the plan gives to this worker; on duty it sees to the others' part too. */
  async act(role: Cadence['role']): Promise<void> {
    await this.takeOwn();
    for (let burst = firstBurst; ; burst *= 2) {
      const made = this.#plan();
      const { worker } = this.#context;
      const mine = made.takes.filter(({ leaseKey, to }) => to === worker && this.#tenures.mayBegin(leaseKey));
      const now = shuffled(mine, this.#context.random).slice(0, burst);
      await inParallel(now, ({ leaseKey }) => this.#take(leaseKey));
      if (mine.length > now.length) continue;
      const gifts = made.takes.filter(({ to }) => to !== worker && this.#seesTo(to, role));
      await inParallel(this.#polite(gifts), (take) => this.#give(take));
      const wanted = made.asks.filter(({ to }) => this.#seesTo(to, role));
      await inParallel(this.#polite(wanted), (ask) => this.#ask(ask));
      await this.#ring();
      this.#reportWaiting(made.waiting);
      break;
    }
    this.#reportUnowned();
  }

  /** Takes what names this worker already: what others gave it, and what it lost for a moment. */
  async takeOwn(): Promise<void> {
    const own = this.#fleet.all().filter((seen) => this.#isOwn(seen));
    await inParallel(own, ({ lease }) => this.#takeOwn(lease));
  }

  /** Takes the children of a shard that this worker has read to its end, without waiting for a plan. */
  async claim(leaseKeys: readonly string[]): Promise<void> {
    for (const leaseKey of leaseKeys) {
      const lease = this.#fleet.get(leaseKey);
      if (lease === undefined || this.#fleet.blocked(lease)) continue;
      if (this.#tenures.size < this.#maxLeases) await this.#take(leaseKey);
    }
  }

  /** While this worker stops, what others give it is put back at once. */
  async passOn(): Promise<void> {
    const given = this.#fleet.all().filter((seen) => {
      const state = this.#fleet.availability(seen);
      const held = this.#tenures.get(seen.lease.leaseKey)?.ended === false;
      return state.type === 'free' && state.reason === 'own' && !held;
    });
    await inParallel(given, ({ lease }) => this.#putBack(lease));
  }

  /** The live leases as the planner wants them, and who is alive. */
  planned(): { readonly leases: readonly PlannedLease[]; readonly workers: readonly string[] } {
    const nowMs = this.#context.clock.monotonic();
    const leases = this.#fleet.all().flatMap((seen) => this.#plannedLease(seen, nowMs) ?? []);
    const workers = new Set([
      this.#context.worker,
      ...this.#fleet.staying().flatMap((l) => actualOwner(l) ?? []),
      // Not on duty: whom nobody has heard of must not be given more because it was given something.
      ...(this.#fleet.cadence().role === 'each' ? this.#fleet.expecting() : []),
      // Who has no lease yet is known by its metrics; while a Java leader lives it is the leader's affair.
      ...(this.#mode() === 'kcl3-leaderless' ? this.#fleet.java.living() : []),
    ]);
    return { leases, workers: [...workers].sort() };
  }

  #plan(): Plan {
    const { leases, workers } = this.planned();
    const { worker: me } = this.#context;
    const { failoverMs, pollMs } = this.#context.timings;
    // Who alone is on duty gives what is free to others, and takes only what nobody has taken up for long.
    const alone = this.#fleet.cadence().watch.type === 'all pulses';
    const graceMs = alone ? 3 * failoverMs : 2 * pollMs;
    const input = { me, workers, leases, maxLeases: this.#maxLeases, graceMs };
    if (this.#mode() !== 'kcl3-led') return plan(input);
    const leftMs = leaderFailovers * failoverMs;
    const { takes, waiting } = plan({
      ...input,
      workers: workers.filter((worker) => this.#fleet.kindOf(worker) === 'ours'),
      leases: leases.filter(({ freeForMs, owner }) => owner !== undefined || freeForMs >= leftMs),
      graceMs: leftMs + graceMs,
    });
    return { takes, asks: [], waiting };
  }

  /** Counted are the shares where Java's taker counts them too: otherwise the two would go on to rob each other. */
  #throughputKBps(lease: Lease): number | undefined {
    switch (this.#mode()) {
      case 'kcl2':
      case 'kcl3-upgrade':
        return undefined;
      case 'native':
      case 'kcl3-led':
      case 'kcl3-leaderless':
        return this.#fleet.throughputKBps(lease);
    }
  }

  /**
   * Whether this worker carries out what the plan has for that one. A KCL 2 sees to itself, and so does a KCL 3 while
   * the fleet keeps to the rules of 2; where its leader is gone one of ours acts for it.
   */
  #seesTo(to: string, role: Cadence['role']): boolean {
    if (to === this.#context.worker || role === 'duty') {
      return this.#fleet.kindOf(to) === 'ours' || this.#mode() === 'kcl3-leaderless';
    }
    if (this.#mode() !== 'kcl3-leaderless' || !this.#fleet.java.living().includes(to)) return false;
    const { workers } = this.planned();
    return workers.find((worker) => this.#fleet.kindOf(worker) === 'ours') === this.#context.worker;
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
      movable: !free && lease.checkpointOwner === undefined && !lease.offered && !lease.given,
      settled: nowMs - seen.ownerSinceMs >= settledMs,
      throughputKBps: this.#throughputKBps(lease),
      checkpoint: lease.checkpoint,
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
    const { leaseKey } = lease;
    const outcome = await this.#context.store.release(lease, newMark(this.#context));
    if (outcome.type === 'won') this.#context.report({ type: 'lease-released', leaseKey });
    this.#note(leaseKey, outcome);
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
    this.#context.life.goOn();
    const sent = sendNow(this.#context);
    const outcome = await this.#context.store.take(lease, newMark(this.#context));
    if (outcome.type === 'won') this.#tenures.begin(outcome.lease, lease, sent, reason, stream);
    this.#note(lease.leaseKey, outcome);
  }

  /** To a worker that does not look for free leases itself. It takes this one up at its next poll, or Java's look. */
  async #give({ leaseKey, to }: Plan['takes'][number]): Promise<void> {
    const seen = this.#fleet.seen(leaseKey);
    if (seen === undefined || this.#fleet.availability(seen).type !== 'free') return;
    const mark = newMark(this.#context);
    const outcome = await this.#context.store.assign(seen.lease, to, mark, this.#fleet.kindOf(to));
    if (outcome.type === 'won') {
      this.#addressed.add(to);
      this.#context.report({ type: 'lease-handed-over', leaseKey, to });
    }
    this.#note(leaseKey, outcome);
  }

  /**
   * Who knows hand-offs is asked to hand over. KCL 2 does not: its lease is taken as its own peers would take it, and
   * it learns of that at its next write.
   */
  async #ask({ leaseKey, from, to }: Plan['asks'][number]): Promise<void> {
    const lease = this.#fleet.get(leaseKey);
    // Since the plan was made it may have been handed over or finished.
    if (lease?.leaseOwner !== from || lease.checkpointOwner !== undefined || isFinished(lease)) return;
    if (!this.#fleet.handsOver(lease)) {
      if (to === this.#context.worker) await this.#takeAs(lease, 'steal');
      return;
    }
    const outcome = await this.#context.store.requestHandoff(lease, from, to, this.#fleet.kindOf(to));
    if (outcome.type === 'won') {
      this.#addressed.add(from);
      this.#context.report({ type: 'handoff-requested', leaseKey, from, to });
    }
    this.#note(leaseKey, outcome);
  }

  async #ring(): Promise<void> {
    const addressed = [...this.#addressed];
    this.#addressed.clear();
    await inParallel(addressed, (worker) => this.#ringer.ring(worker));
  }

  #note(leaseKey: string, outcome: WriteOutcome): void {
    if (outcome.type === 'won') this.#fleet.see(outcome.lease);
    else if (outcome.type === 'lost') this.#fleet.see(outcome.current);
    else this.#fleet.forget(leaseKey);
  }

  /**
   * By force one lease a round, as KCL 2 does. And one lease, at first, to a Java worker that has none: it may have
   * died since it published its metrics, and what it is given it keeps for long.
   */
  #polite<T extends { readonly leaseKey: string; readonly from?: string; readonly to: string }>(
    moves: readonly T[],
  ): readonly T[] {
    const proven = new Set(this.#fleet.staying().map(actualOwner));
    const onTrial = ({ to }: T): boolean => this.#fleet.kindOf(to) === 'java' && !proven.has(to);
    const forced = ({ from, leaseKey }: T): boolean => {
      const lease = this.#fleet.get(leaseKey);
      return from !== undefined && lease !== undefined && !this.#fleet.handsOver(lease);
    };
    const named = new Set(this.#fleet.all().map(({ lease }) => lease.leaseOwner));
    return [
      ...moves.filter((move) => !forced(move) && !onTrial(move)),
      ...moves.filter(forced).slice(0, 1),
      ...moves.filter((move) => onTrial(move) && !named.has(move.to)).slice(0, 1),
    ];
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
