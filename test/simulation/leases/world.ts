import { type Coordinator, createCoordinator } from '../../../lib/leases/coordinator.ts';
import type { LeaseEvent } from '../../../lib/leases/diagnostics.ts';
import type { HeldLease } from '../../../lib/leases/held-lease.ts';
import { LeaseStoreError } from '../../../lib/leases/lease-store.ts';
import { isFinished } from '../../../lib/leases/lease.ts';
import { parseItem } from '../../../lib/leases/lease-item.ts';
import { createMemoryLeaseTable } from '../../../lib/leases/memory-lease-table.ts';
import { createLeaseStore, type LeaseTable } from '../../../lib/leases/table-lease-store.ts';
import { type ClockView, createManualClock } from '../../../lib/runtime/manual-clock.ts';
import { seededRandom } from '../../support/lease-workers.ts';
import { fairWeather, faultyTable, type Weather } from './faulty-table.ts';
import { Laws } from './laws.ts';
import { ShardModel } from './shard-model.ts';
import { type Deliver, readShard } from './shard-reader.ts';

/** Bugs put in on purpose, to see a law go red. */
export interface Mutation {
  readonly table?: (table: LeaseTable) => LeaseTable;
  readonly clock?: (clock: ClockView, process: number) => ClockView;
  readonly lease?: (lease: HeldLease) => HeldLease;
  readonly maxLeases?: number;
}

export interface SimulatedProcess {
  readonly id: string;
  readonly processId: string;
  readonly clock: ClockView;
  readonly coordinator: Coordinator;
  readonly stop: AbortController;
  state: 'running' | 'stopping' | 'crashed' | 'ended';
  cutUntilMs: number;
}

export const failoverMs = 10_000;
export const stopMs = 15_000;
const recordMs = 400;

/** A fleet on one lease table and one stream, all on a clock that is moved by hand and one random source. */
export class World {
  readonly random: () => number;
  readonly clock = createManualClock({ startMs: 1_700_000_000_000 });
  readonly model: ShardModel;
  readonly laws: Laws;
  readonly processes: SimulatedProcess[] = [];
  /** Everything that happened, in order: two runs of one seed must give the same text. */
  readonly trace: string[] = [];
  weather: Weather = fairWeather;
  readonly #table = createMemoryLeaseTable();
  readonly #watched: LeaseTable;
  readonly #mutation: Mutation;
  readonly #surveyUnitsPerSecond: number;

  constructor(seed: number, mutation: Mutation = {}) {
    this.random = seededRandom(seed);
    this.#mutation = mutation;
    // In half of the worlds even a small fleet counts as large: two workers survey for all.
    this.#surveyUnitsPerSecond = this.pick(2) === 0 ? 20 : 0.01;
    this.model = new ShardModel(() => this.clock.monotonic(), 1 + this.pick(4), recordMs);
    this.laws = new Laws(this.model);
    this.#watched = this.laws.watch(mutation.table?.(this.#table) ?? this.#table);
  }

  /** 0 … n − 1. */
  pick(n: number): number {
    return Math.floor(this.random() * n);
  }

  /** A process of a new worker, or of one that has been there before. */
  start(id = `w${this.processes.length}`): void {
    const processId = `p${this.processes.length}`;
    const view = this.clock.view();
    const clock = this.#mutation.clock?.(view, this.processes.length) ?? view;
    const stop = new AbortController();
    const process: SimulatedProcess = {
      id,
      processId,
      clock,
      stop,
      state: 'running',
      cutUntilMs: 0,
      coordinator: createCoordinator({
        application: 'simulation',
        workerId: id,
        streams: [{ name: 'stream', initial: { type: 'TRIM_HORIZON' } }],
        kinesis: this.model,
        store: createLeaseStore(this.#line(() => process)),
        clock,
        random: this.random,
        options: {
          failoverMs,
          processId,
          isGone: (other) => this.#isGone(other),
          stopMs,
          maxLeases: this.#mutation.maxLeases ?? Infinity,
          surveyUnitsPerSecond: this.#surveyUnitsPerSecond,
        },
        events: (event) => this.#onEvent(process, event),
        work: (lease) => readShard(this.#mutation.lease?.(lease) ?? lease, this.#reader(process)),
      }),
    };
    this.processes.push(process);
    void this.#live(process);
  }

  running(): readonly SimulatedProcess[] {
    return this.processes.filter(({ state }) => state === 'running');
  }

  /** What is missing until every open shard is held by a running process, evenly, and every closed one is read. */
  ailment(): string | undefined {
    const held = this.running().map(({ coordinator }) => coordinator.snapshot().held);
    const owned = new Set(held.flat().map((lease) => lease.shardId));
    for (const shard of this.model.all()) {
      const end = this.model.count(shard);
      const done = shard.closedAtMs !== undefined && this.laws.deliveredUpTo(shard.shardId) >= end;
      if (!done && !owned.has(shard.shardId)) return `${shard.shardId} has no owner`;
    }
    const counts = held.map((leases) => leases.length);
    if (Math.max(...counts) - Math.min(...counts) > 1) return `uneven: ${counts.join(', ')}`;
    const left = [...this.#table.items.values()].find((item) => {
      const parsed = parseItem(item);
      return parsed.type === 'lease' && !isFinished(parsed.lease) && !owned.has(parsed.lease.shardId);
    });
    return left === undefined ? undefined : `the lease ${String(left.leaseKey)} has no owner`;
  }

  note(text: string): void {
    this.trace.push(`${this.clock.monotonic()} ${text}`);
  }

  #line(process: () => SimulatedProcess): LeaseTable {
    return faultyTable(this.#watched, {
      own: {
        now: () => process().clock.now(),
        monotonic: () => process().clock.monotonic(),
        sleep: (ms, signal) => process().clock.sleep(ms, signal),
      },
      world: this.clock,
      random: this.random,
      weather: () => this.weather,
      cut: () => this.clock.monotonic() < process().cutUntilMs,
    });
  }

  #reader(process: SimulatedProcess) {
    const deliver: Deliver = (lease, from, to) => {
      this.note(`${process.id} reads ${lease.shardId} ${from}…${to}`);
      this.laws.onDelivery(process.id, lease, from, to);
    };
    return { model: this.model, clock: process.clock, random: this.random, deliver, laws: this.laws };
  }

  async #live(process: SimulatedProcess): Promise<void> {
    try {
      await process.coordinator.run(process.stop.signal);
    } catch (error) {
      // A worker that cannot reach the table gives up its start; something starts another, as in a real fleet.
      const outOfReach = error instanceof LeaseStoreError && error.code !== 'lease-table-missing';
      if (!outOfReach) this.laws.breach('a run ends well', `${process.id}: ${String(error)}`);
      else if (process.state === 'running') this.start();
    }
    process.state = 'ended';
    this.note(`${process.id} ended`);
  }

  #isGone(processId: string): boolean {
    const found = this.processes.find((process) => process.processId === processId);
    return found?.state === 'crashed' || found?.state === 'ended';
  }

  #onEvent({ id, processId }: SimulatedProcess, event: LeaseEvent): void {
    const { type } = event;
    const leaseKey = 'leaseKey' in event ? event.leaseKey : '';
    const why = 'reason' in event ? event.reason : 'error' in event ? String(event.error) : '';
    this.note(`${id} ${type} ${leaseKey} ${'doing' in event ? event.doing : ''} ${why}`);
    if (type === 'work-failed')
      this.laws.breach('a run ends well', `${id} ${leaseKey}: ${String(event.error)}`);
    // Its own write, not recognised: the item still names this very process.
    if (type === 'lease-lost' && event.reason === 'taken' && event.to === id) {
      const item = this.#table.items.get(leaseKey);
      if (item?.incarnation === `${id}/${processId}`)
        this.laws.breach('no lease lost without need', `${id} ${leaseKey}`);
    }
  }
}
