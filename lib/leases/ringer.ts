import { newMark, type WorkerContext } from './worker-context.ts';
import { LeaseStoreError } from './lease-store.ts';
import { inParallel, shuffled } from './parallel.ts';

/**
 * Leases of a worker that are rung at. Each is written once in a renewal interval (5.8 s), at times that are
 * spread: of 20 one comes within 0.3 s on average, and within 1.2 s in 99 of 100 cases.
 */
const ringsMax = 20;
/** Whoever has heard a bell looks each second for so long: what is given to it meanwhile needs no bell. */
export const alertMs = 3_000;

/**
 * Tells workers that there is something for them, by way of the answers to their own writes: so they need not ask the
 * table all the time. A worker with so few leases that none is written soon asks often (see cadence.ts).
 */
export class Ringer {
  readonly #context: WorkerContext;
  readonly #rungAtMs = new Map<string, number>();

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  /** Never rejects for the table's sake: who does not hear the bell looks sooner or later by itself. */
  async ring(worker: string): Promise<void> {
    const { clock, random, report, store } = this.#context;
    const nowMs = clock.monotonic();
    // A bell is heard within half that time, nearly always.
    const heardMs = nowMs - (this.#rungAtMs.get(worker) ?? Number.NEGATIVE_INFINITY);
    if (worker === this.#context.worker || heardMs < alertMs / 2) return;
    this.#rungAtMs.set(worker, nowMs);
    const { nonce } = newMark(this.#context);
    try {
      const keys = shuffled(await store.ownedBy(worker), random).slice(0, ringsMax);
      await inParallel(keys, async (leaseKey) => {
        await store.ring(leaseKey, worker, nonce);
      });
    } catch (error) {
      if (!(error instanceof LeaseStoreError)) throw error;
      report({ type: 'call-failed', doing: `ring for ${worker}`, error });
    }
  }
}
