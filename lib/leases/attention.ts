import { alertMs } from './ringer.ts';
import type { WorkerContext } from './worker-context.ts';

/** What one worker has to look at before its next survey, and whether it is time to ask what names it. */
export class Attention {
  readonly #context: WorkerContext;
  readonly #wanted = new Set<string>();
  readonly #claims = new Set<string>();
  /** Leases whose work has failed, and when it may be tried again if nobody else has taken them. */
  readonly #later = new Map<string, number>();
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #alertUntilMs = Number.NEGATIVE_INFINITY;

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  /** Something is expected soon: a bell was heard, or a call failed that may have landed. */
  beAlert(): void {
    this.#alertUntilMs = this.#context.clock.monotonic() + alertMs;
  }

  /** Whether the own index is to be read now, which is read each `pollMs` where nothing is expected. */
  askDue(pollMs: number): boolean {
    const nowMs = this.#context.clock.monotonic();
    // Half a round early rather than late.
    const dueMs = this.#askedAtMs + pollMs - this.#context.timings.pollMs / 2;
    return nowMs < this.#alertUntilMs || nowMs >= dueMs;
  }

  asked(): void {
    this.#askedAtMs = this.#context.clock.monotonic();
  }

  want(leaseKeys: Iterable<string>): void {
    for (const leaseKey of leaseKeys) this.#wanted.add(leaseKey);
  }

  /** To be taken if nobody has them. */
  claim(leaseKeys: Iterable<string>): void {
    for (const leaseKey of leaseKeys) this.#claims.add(leaseKey);
    this.want(leaseKeys);
  }

  claimLater(leaseKey: string, atMs: number): void {
    this.#later.set(leaseKey, atMs);
  }

  /** Leases to be looked at now. */
  wanted(): readonly string[] {
    for (const [leaseKey, atMs] of this.#later) {
      if (atMs > this.#context.clock.monotonic()) continue;
      this.#later.delete(leaseKey);
      this.claim([leaseKey]);
    }
    return taken(this.#wanted);
  }

  claims(): readonly string[] {
    return taken(this.#claims);
  }
}

function taken(set: Set<string>): readonly string[] {
  const all = [...set];
  set.clear();
  return all;
}
