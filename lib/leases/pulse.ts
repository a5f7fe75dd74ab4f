import type { Clock } from '../runtime/clock.ts';
import type { TimeWatch } from './time-watch.ts';
import type { Sent, WorkerContext } from './worker-context.ts';
import type { Lease } from './lease.ts';
import { LeaseLost } from './lease-lost.ts';

type PulseContext = Pick<WorkerContext, 'clock' | 'timings' | 'watch'>;

interface Mark {
  readonly confirmed: Sent;
  /** Renews the marked lease where the clock has jumped since its last confirmed write. */
  readonly verify: () => Promise<void>;
}

/**
 * By what others tell that this process lives, without reading each of its leases: one lease that it holds is marked as
 * its pulse. Whoever sees that one stand still for the failover time may take all leases of this incarnation. So none
 * of them is held for longer than the pulse is sure, from the moment at which a mark may lie in the table until it
 * surely lies there no more.
 */
export class Pulse {
  readonly incarnation: string;
  readonly #clock: Clock;
  readonly #ownMs: number;
  readonly #watch: TimeWatch;
  /** By lease key. Usually one; none as long as nothing was marked. */
  readonly #marks = new Map<string, Mark>();
  #relearnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(incarnation: string, { clock, timings, watch }: PulseContext) {
    this.incarnation = incarnation;
    this.#clock = clock;
    this.#ownMs = timings.ownMs;
    this.#watch = watch;
  }

  get marked(): boolean {
    return this.#marks.size > 0;
  }

  /** The send time of the last confirmed write of the pulse; infinite where nobody can rely on one. */
  get confirmedAtMs(): number {
    return Math.min(...this.#confirmed().map(({ atMs }) => atMs));
  }

  /** Not confirmed in time: the leases of this incarnation may be taken, whatever becomes of the pulse now. */
  get overdue(): boolean {
    return this.#clock.monotonic() >= this.confirmedAtMs + this.#ownMs;
  }

  /** A write that marks a lease is about to be sent. From now on it may have landed. */
  sending(leaseKey: string, sent: Sent, verify: Mark['verify']): void {
    if (!this.#marks.has(leaseKey)) this.#marks.set(leaseKey, { confirmed: sent, verify });
  }

  /** What stood in the table after a write of ours, sent at `confirmed`, or instead of it. */
  saw(lease: Lease, confirmed: Sent | undefined): void {
    const mark = this.#marks.get(lease.leaseKey);
    if (mark === undefined || this.overdue) return;
    this.#noteNews(mark);
    if (!lease.pulse || lease.incarnation !== this.incarnation) this.#marks.delete(lease.leaseKey);
    else if (confirmed !== undefined) this.#marks.set(lease.leaseKey, { ...mark, confirmed });
  }

  /** The item is gone or cannot be read: nobody takes it for a pulse. */
  gone(leaseKey: string): void {
    const mark = this.#marks.get(leaseKey);
    if (mark === undefined || this.overdue) return;
    this.#noteNews(mark);
    this.#marks.delete(leaseKey);
  }

  /** The clock has jumped since the last confirmed write of the pulse. */
  get suspicious(): boolean {
    return this.#confirmed().some(({ jumps }) => jumps !== this.#watch.jumps());
  }

  /**
   * When it was learned how the pulse stands after a jump of the clock. Meanwhile others may have found that it stood
   * still: a lease that was verified before then may have been taken since.
   */
  get relearnedAtMs(): number {
    return this.#relearnedAtMs;
  }

  #noteNews({ confirmed }: Mark): void {
    if (confirmed.jumps !== this.#watch.jumps()) this.#relearnedAtMs = this.#clock.monotonic();
  }

  /** False if that cannot be: the marked lease is lost, and perhaps still marked. */
  async verify(): Promise<boolean> {
    for (const [leaseKey, { verify }] of this.#marks) {
      try {
        await verify();
      } catch (error) {
        if (!(error instanceof LeaseLost)) throw error;
        if (this.#marks.has(leaseKey)) return false;
      }
    }
    return true;
  }

  #confirmed(): readonly Sent[] {
    return [...this.#marks.values()].map(({ confirmed }) => confirmed);
  }
}

/**
 * The incarnations of one process. A pulse that was not confirmed in time ends one of them: what the process takes from
 * then on it takes as the next, which the old mark says nothing about.
 */
export class Life {
  /** Whether the fleet is so large that others should look at pulses only. */
  pulseWanted = false;
  /** `worker/process`, and whatever else is known to be over: their leases are ours. */
  readonly incarnations: Set<string>;
  readonly #first: string;
  readonly #context: PulseContext;
  readonly #earlier = new Map<string | undefined, Pulse>();
  #pulse: Pulse;

  constructor(incarnation: string, context: PulseContext) {
    this.#first = incarnation;
    this.#context = context;
    this.#pulse = new Pulse(incarnation, context);
    this.incarnations = new Set([incarnation]);
  }

  get incarnation(): string {
    return this.#pulse.incarnation;
  }

  get pulse(): Pulse {
    return this.#pulse;
  }

  /** What a lease depends on. It may have been taken by a write that was under way when the process began its next life. */
  pulseOf({ incarnation }: Lease): Pulse {
    return this.#earlier.get(incarnation) ?? this.#pulse;
  }

  /** To be called before a lease is taken. */
  goOn(): void {
    if (!this.#pulse.overdue) return;
    const next = `${this.#first}${nextLife}${this.incarnations.size}`;
    this.incarnations.add(next);
    this.#earlier.set(this.incarnation, this.#pulse);
    this.#pulse = new Pulse(next, this.#context);
  }
}

const nextLife = '#';

/** Of `worker/process`, also in a later life of the process. */
export function processOf(incarnation: string, worker: string): string {
  return incarnation.slice(worker.length + 1).replace(/#\d+$/, '');
}
