import type { Lease } from './lease.ts';
import type { Pulse } from './lease-store.ts';

/** A pulse as this worker has seen it over time. Times are this worker's own monotonic clock. */
export interface SeenPulse extends Pulse {
  /** When the present counter was first seen. */
  readonly sinceMs: number;
  readonly readAtMs: number;
}

/** The pulses of the fleet, by an index that may be a moment old: what it says is a hint, never a proof. */
export class Pulses {
  readonly #failoverMs: number;
  /** By lease key. */
  #seen: ReadonlyMap<string, SeenPulse> = new Map();
  /** Incarnations that are known to be over, each with the time at which that was proven. */
  readonly #over = new Map<string, number>();

  constructor(failoverMs: number) {
    this.#failoverMs = failoverMs;
  }

  /** What the index says of all processes. Returns whether somebody has come or gone. */
  see(pulses: readonly Pulse[], nowMs: number): boolean {
    const before = new Set(this.#incarnations());
    this.#seen = new Map(pulses.map((pulse) => [pulse.leaseKey, this.#observed(pulse, nowMs)]));
    const after = new Set(this.#incarnations());
    return before.size !== after.size || [...after].some((incarnation) => !before.has(incarnation));
  }

  /** What the index says of one process. */
  seeOne(incarnation: string, pulses: readonly Pulse[], nowMs: number): void {
    const others = [...this.#seen].filter(([, pulse]) => pulse.incarnation !== incarnation);
    const own = pulses.map((pulse) => [pulse.leaseKey, this.#observed(pulse, nowMs)] as const);
    this.#seen = new Map([...others, ...own]);
  }

  /** What the table says, strongly consistent, of a lease that the index has as a pulse. Returns whether it stands still. */
  check(pulse: SeenPulse, lease: Lease | undefined, nowMs: number): boolean {
    const { leaseKey, incarnation } = pulse;
    const marked = lease?.pulse === true && lease.incarnation === incarnation;
    const still = marked && lease.counter === pulse.counter;
    if (still) return true;
    const seen = new Map(this.#seen);
    if (marked)
      seen.set(leaseKey, { leaseKey, incarnation, counter: lease.counter, sinceMs: nowMs, readAtMs: nowMs });
    else seen.delete(leaseKey);
    this.#seen = seen;
    return false;
  }

  /** Nobody could be seen for long: everybody is given time anew. */
  restart(nowMs: number): void {
    this.#seen = new Map(
      [...this.#seen].map(([key, pulse]) => [key, { ...pulse, sinceMs: nowMs, readAtMs: nowMs }]),
    );
  }

  /** Those that were seen to stand still for the failover time. */
  still(): readonly SeenPulse[] {
    return [...this.#seen.values()].filter(
      ({ incarnation, readAtMs, sinceMs }) =>
        !this.#over.has(incarnation) && readAtMs >= sinceMs + this.#failoverMs,
    );
  }

  alive(): readonly string[] {
    const still = new Set(this.still().map(({ incarnation }) => incarnation));
    return this.#incarnations().filter(
      (incarnation) => !still.has(incarnation) && !this.#over.has(incarnation),
    );
  }

  /** When the first that was seen to stand still for a while, of all or of one process, will have done so for long enough. */
  dueMs(of?: string): number {
    const watched = [...this.#seen.values()].filter(({ incarnation, readAtMs, sinceMs }) => {
      const open =
        !this.#over.has(incarnation) && readAtMs > sinceMs && readAtMs < sinceMs + this.#failoverMs;
      return open && (of === undefined || incarnation === of);
    });
    return Math.min(...watched.map(({ sinceMs }) => sinceMs + this.#failoverMs));
  }

  /** It was proven at `atMs` that the process has held none of its leases since. */
  end(incarnation: string, atMs: number): void {
    this.#over.set(incarnation, atMs);
  }

  overSinceMs(incarnation: string | undefined): number | undefined {
    return incarnation === undefined ? undefined : this.#over.get(incarnation);
  }

  /** Forgets the ended incarnations of which no lease is left. */
  keep(present: ReadonlySet<string | undefined>): void {
    for (const incarnation of this.#over.keys())
      if (!present.has(incarnation)) this.#over.delete(incarnation);
  }

  #incarnations(): readonly string[] {
    return [...new Set([...this.#seen.values()].map(({ incarnation }) => incarnation))];
  }

  #observed(pulse: Pulse, nowMs: number): SeenPulse {
    const before = this.#seen.get(pulse.leaseKey);
    const same = before?.incarnation === pulse.incarnation && before.counter === pulse.counter;
    return { ...pulse, readAtMs: nowMs, sinceMs: same ? before.sinceMs : nowMs };
  }
}
