import { createCoordinator } from '../../lib/leases/coordinator.ts';
import type { HeldLease } from '../../lib/leases/held-lease.ts';
import { createMemoryLeaseTable } from '../../lib/leases/memory-lease-table.ts';
import { createLeaseStore, type LeaseTable } from '../../lib/leases/table-lease-store.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { type ClockView, createManualClock, type ManualClock } from '../../lib/runtime/manual-clock.ts';
import { createMemoryKinesis, type MemoryKinesis } from '../../lib/streams/memory-kinesis.ts';
import { seededRandom } from './seeded-random.ts';

export interface MovesCase {
  readonly workers: number;
  readonly leases: number;
  readonly seed: number;
}

export interface Moves {
  /** For each lease of a worker that was killed: from then on until its work began elsewhere. */
  readonly failoverMs: readonly number[];
  /** For each lease of a worker that was told to stop: from the end of its work until it began elsewhere. */
  readonly stopGapMs: readonly number[];
  /** From the start of a worker that joins until it holds its share. */
  readonly joinMs: number;
}

/** Each call takes so long, as a table in the same region does. */
const callMs = 10;
const settleMs = 120_000;
const stepMs = 50;
const patienceMs = 60_000;

interface Member {
  readonly id: string;
  readonly clock: ClockView;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** A whole idle fleet in memory: one worker is killed, one is stopped, one joins, each after the others have settled. */
export async function moves(of: MovesCase): Promise<Moves> {
  const fleet = new MovingFleet(of);
  const members = Array.from({ length: of.workers }, () => fleet.start());
  await fleet.clock.advance(settleMs);
  const [killed, stopped, ...rest] = members;
  if (killed === undefined || stopped === undefined) throw new Error('too few workers');
  const failoverMs = await fleet.gaps(killed, () => killed.clock.freeze('stopped'));
  await fleet.clock.advance(settleMs);
  const stopGapMs = await fleet.gaps(stopped, () => stopped.stop.abort());
  await fleet.clock.advance(settleMs);
  const joined = fleet.start();
  const joinMs = await fleet.until(() => {
    return fleet.held(joined).length >= Math.floor(of.leases / (of.workers - 1));
  });
  await fleet.end([...rest, joined]);
  return { failoverMs, stopGapMs, joinMs };
}

class MovingFleet {
  readonly clock: ManualClock = createManualClock({ startMs: Date.parse('2026-01-01T00:00:00Z') });
  readonly #random: () => number;
  readonly #kinesis: MemoryKinesis;
  readonly #table = createMemoryLeaseTable();
  /** Who works on which lease, and since when. */
  readonly #workers = new Map<string, { readonly id: string; readonly sinceMs: number }>();
  readonly #endedAtMs = new Map<string, number>();
  #started = 0;

  constructor({ leases, seed }: MovesCase) {
    this.#random = seededRandom(seed);
    this.#kinesis = createMemoryKinesis({ clock: this.clock, random: this.#random });
    this.#kinesis.createStream('bench', leases);
  }

  start(): Member {
    // In no order: which worker comes first must not depend on when it started.
    const id = `${this.#random().toString(36).slice(2, 10)}-${(this.#started += 1)}`;
    const clock = this.clock.view();
    const stop = new AbortController();
    const coordinator = createCoordinator({
      application: 'bench',
      workerId: id,
      streams: [{ name: 'bench', initial: { type: 'TRIM_HORIZON' } }],
      kinesis: this.#kinesis,
      store: createLeaseStore(delayed(this.#table, clock)),
      clock,
      random: this.#random,
      events: () => {},
      work: (lease) => this.#work(id, lease),
    });
    return { id, clock, stop, done: coordinator.run(stop.signal) };
  }

  held({ id }: Member): readonly string[] {
    return [...this.#workers].filter(([, worker]) => worker.id === id).map(([leaseKey]) => leaseKey);
  }

  /** How long each lease of `member` rests, from when `end` ends its work. */
  async gaps(member: Member, end: () => void): Promise<readonly number[]> {
    const leaseKeys = this.held(member);
    const fromMs = this.clock.monotonic();
    end();
    const elsewhere = (leaseKey: string): number | undefined => {
      const worker = this.#workers.get(leaseKey);
      return worker === undefined || worker.id === member.id ? undefined : worker.sinceMs;
    };
    await this.until(() => leaseKeys.every((leaseKey) => elsewhere(leaseKey) !== undefined));
    return leaseKeys.map((leaseKey) => {
      const endedAtMs = Math.max(fromMs, this.#endedAtMs.get(leaseKey) ?? 0);
      return (elsewhere(leaseKey) ?? Number.POSITIVE_INFINITY) - endedAtMs;
    });
  }

  async until(done: () => boolean): Promise<number> {
    const fromMs = this.clock.monotonic();
    while (!done() && this.clock.monotonic() - fromMs < patienceMs) await this.clock.advance(stepMs);
    return done() ? this.clock.monotonic() - fromMs : Number.POSITIVE_INFINITY;
  }

  async end(members: readonly Member[]): Promise<void> {
    for (const { stop } of members) stop.abort();
    await this.clock.advance(patienceMs);
    await Promise.all(members.map(({ done }) => done));
  }

  async #work(id: string, { drain, leaseKey, lost }: HeldLease): Promise<void> {
    this.#workers.set(leaseKey, { id, sinceMs: this.clock.monotonic() });
    const asked = AbortSignal.any([drain, lost]);
    if (!asked.aborted) {
      await new Promise<void>((resolve) => {
        asked.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#endedAtMs.set(leaseKey, this.clock.monotonic());
    if (this.#workers.get(leaseKey)?.id === id) this.#workers.delete(leaseKey);
  }
}

function delayed(table: LeaseTable, clock: Clock): LeaseTable {
  const after = async <T>(work: () => Promise<T>): Promise<T> => {
    await clock.sleep(callMs);
    return work();
  };
  return {
    insert: (leaseKey, item) => after(() => table.insert(leaseKey, item)),
    update: (write) => after(() => table.update(write)),
    remove: (write) => after(() => table.remove(write)),
    get: (leaseKey) => after(() => table.get(leaseKey)),
    ownedBy: (worker) => after(() => table.ownedBy(worker)),
    pulses: (incarnation) => after(() => table.pulses(incarnation)),
    scan: async function* (segment) {
      await clock.sleep(callMs);
      yield* table.scan(segment);
    },
  };
}
