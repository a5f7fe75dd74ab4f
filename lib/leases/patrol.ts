import type { Fleet } from './fleet.ts';
import type { WorkerContext } from './worker-context.ts';
import { actualOwner } from './lease.ts';
import { inParallel } from './parallel.ts';
import type { SeenPulse } from './pulses.ts';

/**
 * Whoever watches only the one before it counts again how many there are, after so many looks, or so long: those that
 * have come meanwhile have made its rank higher, and it may look less often.
 */
const recount = 10;
const recountMaxMs = 300_000;

/** Watches who is alive in a large fleet, by pulses; where this worker is on duty it proves who is not. */
export class Patrol {
  readonly #context: WorkerContext;
  readonly #fleet: Fleet;
  /** Somebody has come or gone since the last survey. */
  #changed = false;
  /** There is something to act upon. Kept where a later call of the round fails. */
  #found = false;
  #countAgainAtMs = Number.NEGATIVE_INFINITY;

  constructor(context: WorkerContext, fleet: Fleet) {
    this.#context = context;
    this.#fleet = fleet;
  }

  /** Returns whether this worker is on duty and there is something to act upon. */
  async round(signal: AbortSignal): Promise<boolean> {
    if (this.#fleet.pulsesUnknown()) await this.#fleet.readPulses();
    const { watch } = this.#fleet.refresh();
    switch (watch.type) {
      case 'surveys':
      case 'first lease':
        return false;
      case 'pulse before':
        if (this.#context.clock.monotonic() >= this.#countAgainAtMs) return this.#guard(signal, 'relieved');
        await this.#fleet.readPulses(watch.of);
        // Gone, or still: then somebody else comes before this worker, or nobody.
        return this.#fleet.pulses.alive().includes(watch.of) ? false : this.#guard(signal, 'relieved');
      case 'all pulses':
        return this.#guard(signal, 'duty');
    }
  }

  /** How long until there is something to see. */
  pauseMs(): number {
    const { random, timings } = this.#context;
    // Varies, so that workers do not run in step.
    const around = (ms: number): number => ms * (0.8 + 0.4 * random());
    const { watch } = this.#fleet.cadence();
    const leftMs = (of?: string): number => this.#fleet.pulses.dueMs(of) - this.#context.clock.monotonic();
    switch (watch.type) {
      case 'surveys':
      case 'first lease':
        return around(timings.surveyMs);
      case 'pulse before':
        return Math.min(around(watch.everyMs), leftMs(watch.of));
      case 'all pulses':
        return Math.min(around(watch.everyMs), leftMs());
    }
  }

  async #guard(signal: AbortSignal, before: 'duty' | 'relieved'): Promise<boolean> {
    if (await this.#fleet.readPulses()) this.#changed = true;
    const { role, watch } = this.#fleet.refresh();
    const everyMs = watch.type === 'pulse before' ? watch.everyMs : 0;
    this.#countAgainAtMs = this.#context.clock.monotonic() + Math.min(recountMaxMs, recount * everyMs);
    if (role !== 'duty' || signal.aborted) return false;
    // Who comes on duty has only an old picture.
    const survey =
      before === 'relieved' || (this.#changed && this.#fleet.surveyDue(this.#context.timings.surveyMs));
    if (survey) await this.#fleet.survey(signal);
    if (survey) this.#changed = false;
    if (survey) this.#found = true;
    await inParallel(this.#fleet.pulses.still(), async (pulse) => {
      if (!signal.aborted && (await this.#isOver(pulse, signal))) this.#found = true;
    });
    const found = this.#found;
    this.#found = false;
    return found;
  }

  /**
   * The leases first, then the pulse: if that has not moved since it was first seen, its process has held none of them
   * from then on. Whoever takes one does so on condition that it still stands as it was read before.
   */
  async #isOver(pulse: SeenPulse, signal: AbortSignal): Promise<boolean> {
    if (!(await this.#standsStill(pulse))) return false;
    await this.#fleet.lookAt(pulse.incarnation, ownerOf(pulse, this.#fleet), signal);
    const atMs = this.#context.clock.monotonic();
    if (!(await this.#standsStill(pulse))) return false;
    this.#fleet.end(pulse.incarnation, atMs);
    return true;
  }

  async #standsStill(pulse: SeenPulse): Promise<boolean> {
    const { leaseKey } = pulse;
    await this.#fleet.look([leaseKey]);
    return this.#fleet.pulses.check(pulse, this.#fleet.get(leaseKey), this.#context.clock.monotonic());
  }
}

function ownerOf({ leaseKey }: SeenPulse, fleet: Fleet): string | undefined {
  const lease = fleet.get(leaseKey);
  return lease === undefined ? undefined : actualOwner(lease);
}
