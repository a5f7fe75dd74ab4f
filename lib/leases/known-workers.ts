import type { Clock } from '../runtime/clock.ts';
import { actualOwner, isFinished, type Lease } from './lease.ts';

/** How long a worker is known after the last sign of it: longer than any hand-over takes. */
const knownMs = 10 * 60_000;

/**
 * The workers that are known as ours by the leases they have held, also right after they gave all of them away. One
 * that is taken for Java's is given as long as Java needs to take up what it was given.
 */
export class KnownWorkers {
  readonly #clock: Clock;
  /** When each was last seen to hold a lease. */
  readonly #seenAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  see(lease: Lease): void {
    const owner = actualOwner(lease);
    if (owner === undefined || isFinished(lease)) return;
    if (lease.incarnation !== undefined) this.#seenAtMs.set(owner, this.#clock.monotonic());
    // Held, and not by a process of ours: a Java worker has taken over the name.
    else if (!lease.offered && !lease.given) this.#seenAtMs.delete(owner);
  }

  has(worker: string): boolean {
    const seenAtMs = this.#seenAtMs.get(worker);
    return seenAtMs !== undefined && this.#clock.monotonic() - seenAtMs < knownMs;
  }

  /** Forgets who has not been seen for long. */
  tidy(): void {
    for (const worker of this.#seenAtMs.keys()) if (!this.has(worker)) this.#seenAtMs.delete(worker);
  }
}
