import { type Cadence, cadenceFor, type FleetSize, type PulseRanks, unitsPerLease } from './cadence.ts';
import type { WorkerContext } from './worker-context.ts';
import { availability, type Availability, observed, type Seen } from './fleet-view.ts';
import { actualOwner, isBlocked, isFinished, type Lease, siblingKey } from './lease.ts';
import type { ParsedItem } from './lease-item.ts';
import { wholeTable } from './lease-store.ts';
import { KnownWorkers } from './known-workers.ts';
import { inParallel } from './parallel.ts';
import { JavaPeers } from './kcl3/java-peers.ts';
import { Pulses } from './pulses.ts';
import type { Kind } from './lease-writes.ts';
import type { StreamLeases } from './stream-leases.ts';

export interface OwnLeases {
  /** Told of every lease that was read, by whatever way. */
  readonly onSeen: (lease: Lease) => void;
  readonly isHeld: (leaseKey: string) => boolean;
  /** See JavaPeers. */
  readonly onState: () => void;
  /** How many are held. */
  readonly held: () => number;
}

/** What this worker knows of the whole lease table: the leases of its streams, and since when they stand so. */
export class Fleet {
  readonly #context: WorkerContext;
  readonly #streams: ReadonlyMap<string | undefined, StreamLeases>;
  readonly #seen = new Map<string, Seen>();
  /** What was reported of items that are set aside: each once, until it changes. */
  readonly #setAside = new Map<string, string>();
  /** Processes that have let a lease expire and have not been seen to write since. */
  readonly #silent = new Set<string>();
  readonly #own: OwnLeases;
  readonly java: JavaPeers;
  readonly #known: KnownWorkers;
  readonly pulses: Pulses;
  /** Whether the table has an index of pulses, and when that was looked up. */
  #pulseIndex: { readonly there: boolean; readonly atMs: number } | undefined;
  #surveyedAtMs = Number.NEGATIVE_INFINITY;
  #cadence: Cadence;
  #blindSinceMs: number | undefined;

  constructor(context: WorkerContext, streams: readonly StreamLeases[], own: OwnLeases) {
    this.#context = context;
    this.#streams = new Map(streams.map((stream) => [stream.streamId, stream]));
    this.#own = own;
    this.java = new JavaPeers(context, own.onState);
    this.#known = new KnownWorkers(context.clock);
    this.pulses = new Pulses(context.timings.failoverMs);
    this.#cadence = cadenceFor(context.timings, this.#size());
  }

  /** Reads the whole table, unless `signal` aborts. */
  async survey(signal: AbortSignal): Promise<void> {
    const startedAtMs = this.#context.clock.monotonic();
    await this.#reading(async () => {
      for await (const page of this.#context.store.list(wholeTable)) {
        if (signal.aborted) return;
        for (const item of page) this.#read(item);
      }
    });
    if (signal.aborted) return;
    this.#surveyedAtMs = startedAtMs;
    for (const [leaseKey, seen] of this.#seen) {
      if (seen.readAtMs < startedAtMs) this.#seen.delete(leaseKey);
    }
    const present = new Set(this.all().map(({ lease }) => lease.incarnation));
    for (const process of this.#silent) if (!present.has(process)) this.#silent.delete(process);
    this.#known.tidy();
    this.pulses.keep(present);
    this.refresh();
  }

  /** Whether the last one is `afterMs` old. */
  surveyDue(afterMs: number): boolean {
    const { clock, timings } = this.#context;
    // Half a round early rather than late.
    return clock.monotonic() - this.#surveyedAtMs >= afterMs - timings.surveyMs / 2;
  }

  /** Reads the leases of one process: one by one, or all of the table where that costs less. */
  async lookAt(incarnation: string, owner: string | undefined, signal: AbortSignal): Promise<void> {
    const seen = this.all().filter(({ lease }) => lease.incarnation === incarnation);
    const keys = new Set(seen.map(({ lease }) => lease.leaseKey));
    await this.#reading(async () => {
      if (owner !== undefined) for (const key of await this.#context.store.ownedBy(owner)) keys.add(key);
    });
    if (keys.size > this.#seen.size * unitsPerLease) await this.survey(signal);
    else await this.look([...keys]);
  }

  /** Reads the pulses of all processes, or of one. Returns whether somebody has come or gone. */
  async readPulses(of?: string): Promise<boolean> {
    let changed = false;
    await this.#reading(async () => {
      const pulses = await this.#context.store.pulses(of);
      const nowMs = this.#context.clock.monotonic();
      const before = this.#pulseIndex;
      this.#pulseIndex = { there: pulses !== undefined, atMs: nowMs };
      if (pulses === undefined && before?.there !== false) this.#context.report({ type: 'no-pulse-index' });
      if (of === undefined) changed = this.pulses.see(pulses ?? [], nowMs);
      else this.pulses.seeOne(of, pulses ?? [], nowMs);
    });
    return changed;
  }

  /** In a large fleet: whether it has to be looked up if there is an index of pulses. It may be made at any time. */
  pulsesUnknown(): boolean {
    if (!this.#cadence.large || this.#pulseIndex?.there === true) return false;
    const { clock, timings } = this.#context;
    return this.#pulseIndex === undefined || clock.monotonic() - this.#pulseIndex.atMs >= timings.syncMs;
  }

  /** A process has held none of its leases since `atMs`. */
  end(incarnation: string, atMs: number): void {
    this.pulses.end(incarnation, atMs);
    this.#silent.add(incarnation);
  }

  /** Reads single leases, strongly consistent. */
  async look(leaseKeys: readonly string[]): Promise<void> {
    if (leaseKeys.length === 0) return;
    await this.#reading(() =>
      inParallel(leaseKeys, async (leaseKey) => {
        const item = await this.#context.store.get(leaseKey);
        if (item === undefined) this.#seen.delete(leaseKey);
        else this.#read(item);
      }),
    );
  }

  /**
   * Who cannot read the table does not know who was silent: perhaps nobody could write. After an outage everybody
   * is given time anew, and the same owners resume.
   */
  async #reading(work: () => Promise<void>): Promise<void> {
    const { clock, timings } = this.#context;
    const beganAtMs = clock.monotonic();
    try {
      await work();
    } catch (error) {
      this.#blindSinceMs ??= beganAtMs;
      throw error;
    }
    const nowMs = clock.monotonic();
    const outage = this.#blindSinceMs !== undefined && nowMs - this.#blindSinceMs >= timings.failoverMs / 2;
    this.#blindSinceMs = undefined;
    if (!outage) return;
    for (const [leaseKey, seen] of this.#seen) this.#seen.set(leaseKey, { ...seen, changedAtMs: nowMs });
    this.#silent.clear();
    this.pulses.restart(nowMs);
  }

  /** Works the cadence out again, after something has changed. */
  refresh(): Cadence {
    this.#cadence = cadenceFor(this.#context.timings, this.#size());
    this.#context.life.pulseWanted = this.#cadence.large && this.#pulseIndex?.there === true;
    return this.#cadence;
  }

  see(lease: Lease): void {
    const { clock, timings } = this.#context;
    const before = this.#seen.get(lease.leaseKey);
    const seen = observed(before, lease, clock.monotonic(), timings.failoverMs);
    this.#seen.set(lease.leaseKey, seen);
    this.#noteSilence(seen, before);
    this.#known.see(lease);
    this.#own.onSeen(lease);
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

  finished(leaseKey: string): boolean {
    const lease = this.get(leaseKey);
    return lease !== undefined && isFinished(lease);
  }

  of(stream: StreamLeases): readonly Lease[] {
    return this.all()
      .map(({ lease }) => lease)
      .filter((lease) => lease.streamId === stream.streamId);
  }

  streamOf(lease: Lease): StreamLeases | undefined {
    return this.#streams.get(lease.streamId);
  }

  /** How this worker looks after the table, given the size of the fleet as it was seen by the last survey. */
  cadence(): Cadence {
    return this.#cadence;
  }

  availability(seen: Seen): Availability {
    const { life, timings, worker } = this.#context;
    const me = { worker, incarnations: life.incarnations };
    // To one that has died meanwhile no time is given to take it up.
    const gone = seen.lease.given && this.java.isSilent(seen.lease.leaseOwner);
    const { offerMs } = this.cadence();
    const times = { failoverMs: timings.failoverMs, handoffMs: gone ? 0 : timings.handoffMs, offerMs };
    return availability(seen, me, times, this.pulses.overSinceMs(seen.lease.incarnation));
  }

  /**
   * Leases that show that their owner lives and stays: not those given to it, which it may never take up, and none
   * of a process that let another lease expire or has begun to give its leases away.
   */
  staying(): readonly Lease[] {
    const all = this.all();
    const leavers = new Set(all.map(({ lease }) => lease.leaver));
    return all
      .filter((seen) => this.availability(seen).type === 'busy' && !seen.lease.offered && !seen.lease.given)
      .map(({ lease }) => lease)
      .filter((lease) => {
        const { incarnation: process } = lease;
        if (process === undefined) return !this.java.isSilent(actualOwner(lease));
        return !(leavers.has(process) || this.#silent.has(process));
      });
  }

  /** Java's: none that is known as ours. */
  kindOf(worker: string): Kind {
    const isOurs =
      worker === this.#context.worker || this.java.roster.isOurs(worker) || this.#known.has(worker);
    return isOurs ? 'ours' : 'java';
  }

  /** The owner honours hand-offs: it is ours, or a live KCL 3. */
  handsOver(lease: Lease): boolean {
    return lease.incarnation !== undefined || this.java.roster.isJava(actualOwner(lease));
  }

  /** KCL 2 leaves what it finds standing there, however old it is. */
  throughputKBps(lease: Lease): number | undefined {
    const written = lease.leaseOwner === undefined || lease.offered || this.handsOver(lease);
    return written ? lease.throughputKBps : undefined;
  }

  /**
   * Workers that have asked for leases or were given some, and have perhaps none yet: many that join at once must know
   * of each other. What is given to one that dies is free again after a moment, and then it is no longer counted.
   */
  expecting(): readonly string[] {
    return this.all().flatMap((seen) => {
      const { checkpointOwner, leaseOwner, offered } = seen.lease;
      const onTheWay = leaseOwner !== undefined && (offered || checkpointOwner !== undefined);
      return onTheWay && this.availability(seen).type === 'busy' ? [leaseOwner] : [];
    });
  }

  /** By what was seen; whoever takes the lease looks again. */
  blocked(lease: Lease): boolean {
    return isBlocked(lease, (shardId) => this.get(siblingKey(lease, shardId)));
  }

  /**
   * Leases worth a look of their own, since it decides whether they may be taken: those that were quiet for long
   * enough. Where this worker reads the table rarely, what it has not seen for long is not quiet, only unseen.
   */
  suspects(): readonly string[] {
    const { role, watch } = this.#cadence;
    switch (watch.type) {
      case 'pulse before':
        return [];
      case 'all pulses': {
        const alive = new Set<string | undefined>(this.pulses.alive());
        const found = this.#quiet(({ incarnation, offered }) => offered || !alive.has(incarnation));
        return [...found, ...this.#onTheWay()];
      }
      case 'surveys':
        return this.#quiet();
      case 'first lease': {
        if (role === 'duty') return this.#quiet();
        const first = this.#inOrder()[0];
        const due = first !== undefined && this.#context.clock.monotonic() - first.readAtMs >= watch.everyMs;
        return due ? [first.lease.leaseKey] : [];
      }
    }
  }

  /** Hand-offs that were not seen to end: what came of them would not be noticed before the next survey. */
  #onTheWay(): readonly string[] {
    const sinceMs = this.#context.clock.monotonic() - this.#cadence.offerMs;
    const asked = this.all().filter(({ lease, readAtMs }) => {
      return lease.checkpointOwner !== undefined && readAtMs <= sinceMs;
    });
    return asked.map(({ lease }) => lease.leaseKey);
  }

  #quiet(concerns: (lease: Lease) => boolean = () => true): readonly string[] {
    const nowMs = this.#context.clock.monotonic();
    return this.all()
      .filter((seen) => {
        const state = concerns(seen.lease) ? this.availability(seen) : undefined;
        return state?.type === 'busy' && state.untilMs <= nowMs;
      })
      .map(({ lease }) => lease.leaseKey);
  }

  /** Live leases by their keys. */
  #inOrder(): readonly Seen[] {
    const live = this.all().filter(({ lease }) => !isFinished(lease));
    return live.sort((a, b) => (a.lease.leaseKey < b.lease.leaseKey ? -1 : 1));
  }

  #noteSilence(seen: Seen, before: Seen | undefined): void {
    const { counter, incarnation, leaseOwner } = seen.lease;
    const state = this.availability(seen);
    const expired = state.type === 'free' && state.reason === 'expired';
    const wrote = before?.lease.leaseOwner === leaseOwner && before?.lease.counter !== counter;
    if (incarnation === undefined) return this.java.readLease(seen, expired, wrote);
    if (expired) this.#silent.add(incarnation);
    else if (wrote) this.#silent.delete(incarnation);
  }

  #size(): FleetSize {
    const me = this.#context.worker;
    const live = this.#inOrder();
    // An offer may never be taken up: duty is with those who hold. What this worker holds it knows itself.
    const held = live.filter(({ lease }) => {
      return actualOwner(lease) === me ? this.#own.isHeld(lease.leaseKey) : !lease.offered;
    });
    const owners = held.flatMap(({ lease }) => actualOwner(lease) ?? []);
    // Java's workers see to themselves.
    const ours = held.filter(({ lease }) => actualOwner(lease) === me || lease.incarnation !== undefined);
    const ownersInOrder = ours.flatMap(({ lease }) => actualOwner(lease) ?? []);
    return {
      me,
      workers: new Set([me, ...owners]).size,
      leases: live.length,
      held: this.#own.held(),
      ownersInOrder,
      pulses: this.#pulseIndex?.there === true ? this.#ranks(held) : undefined,
    };
  }

  #ranks(held: readonly Seen[]): PulseRanks {
    const { life, worker } = this.#context;
    const alive = this.pulses.alive();
    const known = new Set(alive);
    const missing = held.some(({ lease }) => {
      const { incarnation } = lease;
      const over = this.pulses.overSinceMs(incarnation) !== undefined;
      const owner = actualOwner(lease);
      return (
        owner !== undefined &&
        owner !== worker &&
        !over &&
        (incarnation === undefined || !known.has(incarnation))
      );
    });
    return { incarnation: life.incarnation, alive, missing };
  }

  #read(item: ParsedItem): void {
    switch (item.type) {
      case 'foreign':
        this.java.readItem(item.entityType, item.item);
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
