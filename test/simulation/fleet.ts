import type { LeaseEvent } from '../../lib/leases/diagnostics.ts';
import { LeaseStoreError } from '../../lib/leases/lease-store.ts';
import { createMemoryLeaseTable, type MemoryLeaseTable } from '../../lib/leases/memory-lease-table.ts';
import type { LeaseTable } from '../../lib/leases/table-lease-store.ts';
import { type ClockView, createManualClock } from '../../lib/runtime/manual-clock.ts';
import { createRandom } from '../support/random.ts';
import { Breaches } from './breaches.ts';
import { fairWeather, type Line, type Weather } from './faulty-line.ts';
import { faultyTable } from './faulty-table.ts';
import { LaggingTable } from './lagging-table.ts';
import type { TableLaws } from './table-laws.ts';

/** Bugs put in on purpose, below any code that is under test. */
export interface FleetMutation {
  readonly table?: (table: LeaseTable, process: number) => LeaseTable;
  readonly clock?: (clock: ClockView, process: number) => ClockView;
  /** Every fleet counts as large, and its table has an index of pulses. */
  readonly large?: boolean;
}

export interface SimulatedProcess {
  readonly id: string;
  readonly processId: string;
  readonly clock: ClockView;
  readonly stop: AbortController;
  /** Per lease: when the last of its writes that landed was sent, on the process's monotonic clock. */
  readonly landed: Map<string, number>;
  state: 'running' | 'stopping' | 'crashed' | 'ended';
  cutUntilMs: number;
  /** A part of the lease table that this process does not reach, and until when. */
  lacks: { readonly leaseKey: string; readonly untilMs: number } | undefined;
}

export const failoverMs = 10_000;
export const stopMs = 15_000;

/** The life of one process: resolves when it ends, rejects as a process would exit with an error. */
type Live = (process: SimulatedProcess, signal: AbortSignal) => Promise<void>;

/** Processes on one lease table, all on a clock that is moved by hand and one random source. */
export class Fleet {
  readonly random: () => number;
  readonly clock = createManualClock({ startMs: 1_700_000_000_000 });
  readonly breaches = new Breaches();
  readonly processes: SimulatedProcess[] = [];
  /** Everything that happened, in order: two runs of one seed must give the same text. */
  readonly trace: string[] = [];
  readonly table: MemoryLeaseTable = createMemoryLeaseTable();
  /** In half of the worlds even a small fleet counts as large: one worker surveys for all. */
  readonly surveyUnitsPerSecond: number;
  readonly #lagging: LaggingTable;
  /** Some tables were made by somebody who knows of no pulses. */
  readonly #pulseIndex: boolean;
  weather: Weather = fairWeather;
  #live: Live = async () => {};
  readonly #mutation: FleetMutation;

  constructor(seed: number, mutation: FleetMutation) {
    this.random = createRandom(seed);
    this.#mutation = mutation;
    const { large = false } = mutation;
    this.surveyUnitsPerSecond = this.one(large ? [0.02] : [20, 20, 0.1, 0.05]) ?? 20;
    this.#pulseIndex = this.pick(4) > 0 || large;
    this.#lagging = new LaggingTable(this.table, this.clock, this.random);
  }

  /** To be called before the first start. */
  lives(live: Live): void {
    this.#live = live;
  }

  /** 0 … n − 1. */
  pick(n: number): number {
    return Math.floor(this.random() * n);
  }

  one<T>(of: readonly T[]): T | undefined {
    return of[this.pick(of.length)];
  }

  note(text: string): void {
    this.trace.push(`${this.clock.monotonic()} ${text}`);
  }

  /** A process of a new worker, or of one that has been there before. */
  start(id = `w${this.processes.length}`): void {
    const view = this.clock.view();
    const process: SimulatedProcess = {
      id,
      processId: `p${this.processes.length}`,
      clock: this.#mutation.clock?.(view, this.processes.length) ?? view,
      stop: new AbortController(),
      landed: new Map(),
      state: 'running',
      cutUntilMs: 0,
      lacks: undefined,
    };
    this.processes.push(process);
    this.note(`${id} starts as ${process.processId}`);
    void this.#run(process);
  }

  running(): readonly SimulatedProcess[] {
    return this.processes.filter(({ state }) => state === 'running');
  }

  isGone(processId: string): boolean {
    const found = this.processes.find((process) => process.processId === processId);
    return found?.state === 'crashed' || found?.state === 'ended';
  }

  /** A crashed process never gets another turn. */
  crash(process: SimulatedProcess): void {
    process.state = 'crashed';
    process.clock.freeze('stopped');
    process.cutUntilMs = Number.POSITIVE_INFINITY;
  }

  stop(process: SimulatedProcess): void {
    process.state = 'stopping';
    process.stop.abort();
  }

  lineOf(process: SimulatedProcess): Line {
    return {
      own: process.clock,
      world: this.clock,
      random: this.random,
      weather: () => this.weather,
      cut: () => this.clock.monotonic() < process.cutUntilMs,
    };
  }

  /** The lease table as `process` reaches it. */
  tableOf(process: SimulatedProcess, laws: TableLaws): LeaseTable {
    const lagging = this.#lagging.withLaggingIndexes();
    const indexed = this.#pulseIndex ? lagging : { ...lagging, pulses: async () => undefined };
    const table = laws.watch(this.#mutation.table?.(indexed, this.processes.indexOf(process)) ?? indexed);
    const onLanded = (leaseKey: string, sentMs: number): void => {
      process.landed.set(leaseKey, Math.max(sentMs, process.landed.get(leaseKey) ?? 0));
    };
    const lacks = (leaseKey: string): boolean =>
      process.lacks?.leaseKey === leaseKey && this.clock.monotonic() < process.lacks.untilMs;
    return faultyTable(table, { ...this.lineOf(process), onLanded, lacks });
  }

  onLeaseEvent({ id, processId }: SimulatedProcess, event: LeaseEvent): void {
    const { type } = event;
    const leaseKey = 'leaseKey' in event ? event.leaseKey : '';
    const why = 'reason' in event ? event.reason : 'error' in event ? String(event.error) : '';
    const to = 'to' in event && event.to !== undefined ? `to ${event.to}` : '';
    this.note(`${id} ${type} ${leaseKey} ${'doing' in event ? event.doing : to} ${why}`);
    if (type === 'work-failed') {
      this.breaches.add('a run ends well', `${id} ${leaseKey}: ${String(event.error)}`);
    }
    // Its own write, not recognised: the item still names this very process.
    if (type === 'lease-lost' && event.reason === 'taken' && event.to === id) {
      const item = this.table.items.get(leaseKey);
      if (item?.incarnation === `${id}/${processId}`) {
        this.breaches.add('no lease lost without need', `${id} ${leaseKey}`);
      }
    }
  }

  async #run(process: SimulatedProcess): Promise<void> {
    try {
      await this.#live(process, process.stop.signal);
    } catch (error) {
      // A worker that cannot reach the table gives up its start; something starts another, as in a real fleet.
      const outOfReach = error instanceof LeaseStoreError && error.code !== 'lease-table-missing';
      if (!outOfReach) this.breaches.add('a run ends well', `${process.id}: ${String(error)}`);
      else if (process.state === 'running') this.start();
    }
    process.state = 'ended';
    this.note(`${process.id} ended`);
  }
}
