import { setMaxListeners } from 'node:events';
import { BrokenInvariant } from '../runtime/errors.ts';
import { backoffMs, retry } from '../runtime/retry.ts';
import { Attention } from './attention.ts';
import { type Bell, createBell } from './bell.ts';
import type { CoordinatorSettings, CoordinatorSnapshot } from './coordinator.ts';
import { Fleet } from './fleet.ts';
import type { WorkerContext } from './worker-context.ts';
import { DuplicateWorker, settleIdentity, Twins } from './identity.ts';
import { Patrol } from './patrol.ts';
import { Ringer } from './ringer.ts';
import { actualOwner } from './lease.ts';
import { Member, type MemberOptions } from './kcl3/member.ts';
import { LeaseLost } from './lease-lost.ts';
import { LeaseStoreError } from './lease-store.ts';
import { handovers } from './plan.ts';
import type { StreamLeases } from './stream-leases.ts';
import { settled } from './settled.ts';
import { Syncer } from './syncer.ts';
import { Taker } from './taker.ts';
import { Tenures } from './tenures.ts';

/** Tries of each call at the start; then the worker gives up, and whoever started it starts it again. */
export const startBackoff = { firstMs: 200, maxMs: 5_000, tries: 10 };
/** Kept at the end of the time to stop, for giving up the leases of work that does not return. */
const evictMs = 2_000;
/** The longest that a stop waits for a look at the fleet. */
const lookMs = 1_000;
/** Pause of a loop whose work failed. */
const loopBackoff = { firstMs: 200, maxMs: 5_000, tries: Number.POSITIVE_INFINITY };

export interface WorkerOptions {
  readonly application: string;
  readonly maxLeases: number;
  readonly stopMs: number;
  readonly isGone: (processId: string) => boolean;
  readonly fleet: Pick<MemberOptions, 'compat' | 'tables'>;
}

/** One life of a worker on streams that are known: starts, keeps its loops going, stops in order. */
export class Worker {
  readonly #context: WorkerContext;
  readonly #options: WorkerOptions;
  readonly #streams: readonly StreamLeases[];
  readonly #fleet: Fleet;
  readonly #tenures: Tenures;
  readonly #member: Member;
  readonly #patrol: Patrol;
  readonly #taker: Taker;
  readonly #syncer: Syncer;
  readonly #broken = new AbortController();
  readonly #twins: Twins;
  /** Another process has this worker's id: this one drains and ends. */
  readonly #yield = new AbortController();
  readonly #pollBell: Bell;
  readonly #surveyBell: Bell;
  readonly #followBell: Bell;
  readonly #attention: Attention;
  #acting: Promise<unknown> = Promise.resolve();
  #jumps = 0;

  constructor(
    context: WorkerContext,
    streams: readonly StreamLeases[],
    options: WorkerOptions,
    settings: Pick<CoordinatorSettings, 'kinesis' | 'work'>,
  ) {
    this.#context = context;
    this.#options = options;
    this.#streams = streams;
    this.#pollBell = createBell(context.clock);
    this.#surveyBell = createBell(context.clock);
    this.#followBell = createBell(context.clock);
    this.#attention = new Attention(context);
    const ringer = new Ringer(context);
    this.#tenures = new Tenures(context, {
      work: settings.work,
      ringer,
      kindOf: (worker) => this.#fleet.kindOf(worker),
      onBroken: (error) => this.#broken.abort(error),
      onRung: () => {
        this.#attention.beAlert();
        this.#pollBell.ring();
      },
      onEnded: (leaseKey, children, againAtMs) => {
        this.#attention.want([leaseKey]);
        this.#attention.claim(children);
        if (againAtMs !== undefined) this.#attention.claimLater(leaseKey, againAtMs);
        this.#pollBell.ring();
      },
    });
    this.#fleet = new Fleet(context, streams, {
      onSeen: (lease) => this.#tenures.get(lease.leaseKey)?.notice(lease),
      isHeld: (leaseKey) => this.#tenures.get(leaseKey)?.ended === false,
      held: () => this.#tenures.all().filter(({ holding }) => !holding.ended).length,
      onState: () => this.#followBell.ring(),
    });
    this.#twins = new Twins(context, this.#fleet);
    this.#patrol = new Patrol(context, this.#fleet);
    this.#member = new Member(context, {
      ...options.fleet,
      roster: this.#fleet.java.roster,
      lives: (worker) => this.#fleet.java.living().includes(worker),
      withJava: () => this.#fleet.staying().some(({ incarnation }) => incarnation === undefined),
    });
    this.#taker = new Taker(context, this.#fleet, this.#tenures, ringer, {
      maxLeases: options.maxLeases,
      mode: () => this.#member.mode,
    });
    this.#syncer = new Syncer(context, this.#fleet, settings.kinesis);
  }

  /** Rejects if this worker cannot or must not start. To be awaited before `run`. */
  async start(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#context;
    const policy = { backoff: startBackoff, retryable: mayRecover, clock, random, signal };
    await retry(() => this.#fleet.survey(signal), policy);
    // Before anything is taken: perhaps a Java leader assigns.
    await retry(() => this.#member.look(), policy);
    await settleIdentity(this.#context, this.#fleet, this.#options.isGone, signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { life, report, worker } = this.#context;
    report({
      type: 'worker-started',
      application: this.#options.application,
      worker,
      incarnation: life.incarnation,
    });
    const stop = AbortSignal.any([signal, this.#broken.signal, this.#yield.signal]);
    // A listener per loop and a loop per stream, each removed after its wait: no leak to be warned of.
    setMaxListeners(0, stop);
    const done = new AbortController();
    const loops = this.#loops(stop, done.signal);
    try {
      await Promise.race([aborted(stop), loops]);
      this.#broken.signal.throwIfAborted();
      await this.#drain();
      this.#broken.signal.throwIfAborted();
      this.#yield.signal.throwIfAborted();
    } finally {
      this.#tenures.abandon();
      done.abort();
      await loops;
    }
    report({ type: 'worker-stopped', worker });
  }

  snapshot(): CoordinatorSnapshot {
    const { leases, workers } = this.#taker.planned();
    return {
      workerId: this.#context.worker,
      held: this.#tenures.all().map(({ holding, stream }) => ({
        leaseKey: holding.lease.leaseKey,
        shardId: holding.lease.shardId,
        checkpoint: holding.lease.checkpoint,
        throughputKBps: holding.lease.throughputKBps ?? 0,
        draining: holding.drainSignal.aborted,
        fence: holding.taken.counter,
        stream: stream.name,
      })),
      workers,
      live: leases.length,
      unowned: leases.filter((lease) => lease.owner === undefined).length,
    };
  }

  async #loops(stop: AbortSignal, done: AbortSignal): Promise<void> {
    const { clock, timings } = this.#context;
    const pollMs = (): number => this.#around(timings.pollMs);
    const surveyMs = (): number => this.#around(timings.surveyMs);
    const syncMs = (): number => this.#around(timings.syncMs);
    const patrolMs = (): number => this.#patrol.pauseMs();
    await Promise.all([
      // Goes on while the worker stops: others may hand over to it, not knowing.
      this.#every(pollMs, this.#pollBell, done, 'look for changes', () => this.#poll(stop.aborted)),
      this.#every(surveyMs, this.#surveyBell, stop, 'survey the lease table', async () => {
        if (!this.#fleet.surveyDue(this.#fleet.cadence().surveyMs)) return;
        await this.#fleet.survey(stop);
        await this.#act(stop);
        if (!stop.aborted) await this.#syncer.tidy();
      }),
      this.#follow(stop),
      this.#every(patrolMs, createBell(clock), stop, 'watch the others', async () => {
        if (await this.#patrol.round(stop)) await this.#act(stop);
      }),
      ...this.#streams.map((stream) =>
        this.#every(syncMs, createBell(clock), stop, `sync the shards of ${stream.name}`, () =>
          this.#syncer.sync(stream, stop, () => this.#act(stop)),
        ),
      ),
    ]);
  }

  /** Of a worker that keeps to its own rules whatever happens there is nothing to follow. */
  async #follow(stop: AbortSignal): Promise<void> {
    if (!this.#member.follows) return;
    const ms = (): number => this.#member.lookMs();
    await this.#every(ms, this.#followBell, stop, 'look how the fleet stands', async () => {
      if (await this.#member.look()) this.#surveyBell.ring();
    });
  }

  /** Varies, so that workers do not run in step. */
  #around(ms: number): number {
    return ms * (0.8 + 0.4 * this.#context.random());
  }

  /** Hardly any error ends a loop. */
  async #every(
    pauseMs: () => number,
    bell: Bell,
    signal: AbortSignal,
    doing: string,
    work: () => Promise<void>,
  ): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await work();
        failures = 0;
      } catch (error) {
        if (endsWorker(error)) return this.#broken.abort(error);
        if (error instanceof DuplicateWorker) return this.#yield.abort(error);
        if (signal.aborted) return;
        failures += 1;
        this.#context.report({ type: 'call-failed', doing, error });
        // What failed may have landed: a lease may be ours.
        this.#attention.beAlert();
      }
      const { random } = this.#context;
      await bell.wait(failures > 0 ? backoffMs(loopBackoff, failures, random()) : pauseMs(), signal);
    }
  }

  /** What changes between two surveys: hand-offs in either direction, stale leases, children of ended shards. */
  async #poll(stopping: boolean): Promise<void> {
    await this.#verifyAfterJump();
    const { pollMs, unrungPollMs } = this.#fleet.cadence();
    const ask = stopping || this.#attention.askDue(this.#member.mode === 'kcl3-led' ? unrungPollMs : pollMs);
    const named = await settled(ask ? this.#named() : Promise.resolve([]));
    const suspects = stopping ? [] : this.#fleet.suspects();
    const wanted = this.#attention.wanted();
    const keys = new Set([...wanted, ...(named.ok ? named.value : []), ...suspects]);
    try {
      await this.#fleet.look([...keys]);
    } catch (error) {
      this.#attention.want(wanted);
      throw error;
    }
    if (keys.size > 0) this.#refresh();
    if (!stopping) this.#twins.check();
    if (stopping) await this.#taker.passOn();
    else await this.#actAfterPoll(keys);
    // Without the index (still being built, say) hand-offs are found by the survey; the rest goes on.
    if (!named.ok) throw named.error;
  }

  /** Leases that name this worker but are not held, and held ones that name another. */
  async #named(): Promise<readonly string[]> {
    this.#attention.asked();
    const owned = new Set(await this.#context.store.ownedBy(this.#context.worker));
    const held = this.#tenures.all().filter(({ holding }) => !holding.ended);
    const heldKeys = new Set(held.map(({ holding }) => holding.lease.leaseKey));
    const handed = held.filter(({ holding }) => {
      return holding.lease.checkpointOwner === undefined && !owned.has(holding.lease.leaseKey);
    });
    return [
      ...[...owned].filter((leaseKey) => !heldKeys.has(leaseKey) && !this.#fleet.finished(leaseKey)),
      ...handed.map(({ holding }) => holding.lease.leaseKey),
    ];
  }

  /** After a suspension each lease is verified, whether or not its work asks for it. */
  async #verifyAfterJump(): Promise<void> {
    const jumps = this.#context.watch.jumps();
    if (jumps === this.#jumps) return;
    this.#jumps = jumps;
    await Promise.all(
      this.#tenures.all().map(async ({ holding }) => {
        try {
          await holding.verify();
        } catch (error) {
          if (!(error instanceof LeaseLost)) throw error;
        }
      }),
    );
  }

  async #actAfterPoll(looked: ReadonlySet<string>): Promise<void> {
    const claims = this.#attention.claims();
    await this.#oneAtATime(() => this.#taker.claim(claims));
    const { watch } = this.#fleet.cadence();
    const knowing = this.#fleet.cadence().role !== 'relieved';
    // By pulses whoever is on duty acts after each survey, and whenever there is news.
    if (knowing && (watch.type !== 'all pulses' || looked.size > 0)) return this.#act(this.#broken.signal);
    // What this worker knows is too old to act upon, but for what it has just looked at.
    await this.#oneAtATime(() => this.#taker.takeOwn());
    if (this.#member.mode !== 'kcl3-led') await this.#oneAtATime(() => this.#taker.claim([...looked]));
  }

  /** A worker that comes on duty, by taking the first lease say, begins at once. */
  #refresh(): void {
    const before = this.#fleet.cadence().role;
    const { role } = this.#fleet.refresh();
    if (before === 'relieved' && role !== before) this.#surveyBell.ring();
  }

  #act(signal: AbortSignal): Promise<void> {
    return this.#oneAtATime(async () => {
      if (!signal.aborted) await this.#taker.act(this.#fleet.cadence().role);
    });
  }

  #oneAtATime(work: () => Promise<void>): Promise<void> {
    const done = this.#acting.then(work);
    const next = (): void => {};
    this.#acting = done.then(next, next);
    return done;
  }

  async #drain(): Promise<void> {
    const { report, worker } = this.#context;
    report({ type: 'worker-stopping', worker, leases: this.#tenures.size });
    this.#context.leaving.abort();
    await Promise.all([this.#lookBeforeDrain(), this.#withdraw()]);
    const { leases } = this.#taker.planned();
    this.#tenures.drain(handovers(leases, worker, this.#peers()));
    await this.#within(this.#options.stopMs - evictMs, this.#tenures.settled());
    if (this.#tenures.size > 0) await this.#within(evictMs, this.#tenures.evict());
  }

  /** Waits for `work`, but not for longer, and not where the worker is broken. */
  async #within(ms: number, work: Promise<void>): Promise<void> {
    const inTime = new AbortController();
    const late = this.#context.clock.sleep(Math.max(0, ms), inTime.signal);
    await Promise.race([work, late, aborted(this.#broken.signal)]);
    inTime.abort();
  }

  /** Who lives now? A peer that joined a moment ago is not in the last survey. */
  async #lookBeforeDrain(): Promise<void> {
    const enough = new AbortController();
    await this.#within(lookMs, this.#lookAtFleet(enough.signal));
    enough.abort();
  }

  async #withdraw(): Promise<void> {
    const withdrawn = settled(this.#member.withdraw()).then((done) => {
      if (!done.ok)
        this.#context.report({ type: 'call-failed', doing: 'withdraw metrics', error: done.error });
    });
    await this.#within(lookMs, withdrawn);
  }

  async #lookAtFleet(signal: AbortSignal): Promise<void> {
    const outcome = await settled(this.#fleet.survey(signal));
    if (!outcome.ok)
      this.#context.report({ type: 'call-failed', doing: 'look for peers', error: outcome.error });
  }

  /**
   * Who lives and stays, as far as was seen. Workers of this library if there are any: they look for offers each second.
   * Java's look only where a leader assigns.
   */
  #peers(): readonly string[] {
    const staying = this.#fleet.staying().filter((lease) => lease.incarnation !== undefined);
    const peers = new Set(staying.flatMap((lease) => actualOwner(lease) ?? []));
    peers.delete(this.#context.worker);
    const { mode } = this.#member;
    const javaLooks = mode === 'kcl3-led' || mode === 'kcl3-leaderless';
    return [...(peers.size === 0 && javaLooks ? this.#fleet.java.living() : peers)].sort();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Without its table a worker ends: a new, empty one must not be taken for a fresh start without being told. */
function endsWorker(error: unknown): boolean {
  const tableGone = error instanceof LeaseStoreError && error.code === 'lease-table-missing';
  return tableGone || error instanceof BrokenInvariant;
}

function mayRecover(error: unknown): boolean {
  return (
    error instanceof LeaseStoreError &&
    error.code !== 'lease-table-missing' &&
    error.code !== 'lease-table-forbidden'
  );
}
