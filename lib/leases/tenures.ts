import { assert, BrokenInvariant, PlatformError } from '../runtime/errors.ts';
import { backoffMs } from '../runtime/retry.ts';
import type { TakeReason } from './diagnostics.ts';
import type { HeldLease } from './held-lease.ts';
import { Holding } from './holding.ts';
import type { Sent, WorkerContext } from './worker-context.ts';
import { isBlocked, isFinished, type Lease, siblingKey } from './lease.ts';
import { LeaseLost } from './lease-lost.ts';
import { LeaseStoreError } from './lease-store.ts';
import type { Kind } from './lease-writes.ts';
import type { Ringer } from './ringer.ts';
import { childLease, type StreamLeases } from './stream-leases.ts';

/** Work that fails at once, again and again, is not begun more often than this. */
const failurePause = { firstMs: 1_000, maxMs: 60_000, tries: Number.POSITIVE_INFINITY };
/** Work that went well for so long has left its earlier failures behind. */
const recoveredMs = 60_000;

interface Tenure {
  readonly holding: Holding;
  readonly stream: StreamLeases;
  readonly sinceMs: number;
  readonly done: Promise<void>;
}

export interface TenureOptions {
  readonly work: (lease: HeldLease) => Promise<void>;
  readonly kindOf: (worker: string) => Kind;
  /**
   * A lease has ended; `children` are the leases of its shard's children, if it was read to its end; `againAtMs`: its
   * work has failed and may be tried again then.
   */
  readonly onEnded: (leaseKey: string, children: readonly string[], againAtMs: number | undefined) => void;
  readonly ringer: Ringer;
  /** Somebody has something for this worker: see Lease.bell. */
  readonly onRung: () => void;
  /** A broken promise of the code itself: the worker must end. */
  readonly onBroken: (error: BrokenInvariant) => void;
}

/** The leases of this worker, each from the write that took it to the return of its work. */
export class Tenures {
  readonly #context: WorkerContext;
  readonly #options: TenureOptions;
  readonly #tenures = new Map<string, Tenure>();
  readonly #pauses = new Map<string, { readonly failures: number; readonly untilMs: number }>();
  /** Where each lease goes when it is given up; set once the worker stops. */
  #targets: ReadonlyMap<string, string> | undefined;

  constructor(context: WorkerContext, options: TenureOptions) {
    this.#context = context;
    this.#options = options;
  }

  get size(): number {
    return this.#tenures.size;
  }

  all(): readonly Pick<Tenure, 'holding' | 'stream'>[] {
    return [...this.#tenures.values()];
  }

  get(leaseKey: string): Holding | undefined {
    return this.#tenures.get(leaseKey)?.holding;
  }

  /** False while earlier work of this lease has not returned, or has failed a moment ago, and once drained. */
  mayBegin(leaseKey: string): boolean {
    if (this.#targets !== undefined) return false;
    const pause = this.#pauses.get(leaseKey);
    const paused = pause !== undefined && this.#context.clock.monotonic() < pause.untilMs;
    return !paused && !this.#tenures.has(leaseKey);
  }

  /** `before`: as it stood before the write that took it. */
  begin(lease: Lease, before: Lease, sent: Sent, reason: TakeReason, stream: StreamLeases): void {
    const { leaseKey, counter: fence } = lease;
    assert(!this.#tenures.has(leaseKey), `The lease ${leaseKey} was taken while this worker still holds it`);
    const holding = new Holding(lease, sent, this.#context, this.#options.onRung);
    this.#context.report({ type: 'lease-taken', leaseKey, from: before.leaseOwner, reason, fence });
    // A take that was under way when the worker was told to stop.
    if (this.#targets !== undefined) holding.drain();
    const sinceMs = this.#context.clock.monotonic();
    const done = this.#live(holding, stream).then(() => this.#over(holding, sinceMs));
    this.#tenures.set(leaseKey, { holding, stream, sinceMs, done });
  }

  /** Asks all work to finish; each lease goes to its target, or is released, as soon as its own work returns. */
  drain(targets: ReadonlyMap<string, string>): void {
    this.#targets = targets;
    for (const { holding } of this.#tenures.values()) holding.drain();
  }

  async settled(): Promise<void> {
    while (this.#tenures.size > 0) await Promise.all([...this.#tenures.values()].map(({ done }) => done));
  }

  /** Ends work that does not return, and gives its lease up. Resolves without waiting for the work. */
  async evict(): Promise<void> {
    const late = [...this.#tenures.values()].filter(({ holding }) => !holding.ended);
    await Promise.all(
      late.map(async ({ holding }) => {
        this.#context.report({ type: 'work-overran', leaseKey: holding.lease.leaseKey });
        await endQuietly(() => holding.evict());
      }),
    );
  }

  /** Stops everything at once, without a word to the table. */
  abandon(): void {
    for (const { holding } of this.#tenures.values()) holding.lose('overran');
  }

  async #live(holding: Holding, stream: StreamLeases): Promise<void> {
    const kept = holding.keep();
    const failure = await this.#work(holding, stream);
    if (failure instanceof BrokenInvariant) {
      holding.lose('overran');
      this.#options.onBroken(failure);
    } else if (failure !== undefined) {
      this.#pause(holding.lease.leaseKey, failure);
    }
    await endQuietly(() => this.#giveUp(holding));
    await kept;
  }

  /** What went wrong, if anything did. Losing the lease is not the work's fault. */
  async #work(holding: Holding, stream: StreamLeases): Promise<unknown> {
    try {
      const parents = await this.#parents(holding);
      if (parents === undefined) return undefined;
      await this.#options.work(heldLease(holding, stream, parents));
      const expected = holding.ended || holding.drainSignal.aborted;
      return expected
        ? undefined
        : new PlatformError('work-returned', 'The work returned although nobody asked it to');
    } catch (error) {
      return error instanceof LeaseLost || holding.lostSignal.aborted ? undefined : error;
    }
  }

  /** Waits until the parents have ended. Undefined if the lease goes before that. */
  async #parents(holding: Holding): Promise<readonly Lease[] | undefined> {
    const { clock, report, store, timings } = this.#context;
    const { lease } = holding;
    const asked = AbortSignal.any([holding.lostSignal, holding.drainSignal]);
    for (let waited = false; !holding.ended && !holding.drainSignal.aborted; waited = true) {
      const parents = new Map<string, Lease>();
      try {
        for (const shardId of lease.parents) {
          const item = await store.get(siblingKey(lease, shardId));
          if (item?.type === 'lease') parents.set(shardId, item.lease);
        }
        if (!isBlocked(lease, (shardId) => parents.get(shardId))) return [...parents.values()];
        if (!waited) report({ type: 'lease-waits-for-parents', leaseKey: lease.leaseKey });
      } catch (error) {
        if (!(error instanceof LeaseStoreError)) throw error;
        report({ type: 'call-failed', doing: `read the parents of ${lease.leaseKey}`, error });
      }
      await clock.sleep(timings.pollMs, asked);
    }
    return undefined;
  }

  async #giveUp(holding: Holding): Promise<void> {
    if (holding.ended) return;
    const { lease } = holding;
    const to = this.#targets?.get(lease.leaseKey);
    const next = lease.checkpointOwner === undefined ? to : lease.leaseOwner;
    // In a hand-off that leaves the lease to its next owner.
    if (to === undefined || lease.checkpointOwner !== undefined) await holding.release();
    else await holding.assign(to, this.#options.kindOf(to));
    if (next !== undefined) await this.#options.ringer.ring(next);
  }

  #pause(leaseKey: string, error: unknown): void {
    const failures = (this.#pauses.get(leaseKey)?.failures ?? 0) + 1;
    const pauseMs = backoffMs(failurePause, failures, this.#context.random());
    this.#pauses.set(leaseKey, { failures, untilMs: this.#context.clock.monotonic() + pauseMs });
    this.#context.report({ type: 'work-failed', leaseKey, error, pauseMs });
  }

  #over(holding: Holding, sinceMs: number): void {
    const { lease } = holding;
    this.#tenures.delete(lease.leaseKey);
    const finished = isFinished(lease);
    const recovered = this.#context.clock.monotonic() - sinceMs >= recoveredMs;
    if (finished || recovered) this.#pauses.delete(lease.leaseKey);
    const children = finished ? lease.children.map((shardId) => siblingKey(lease, shardId)) : [];
    this.#options.onEnded(lease.leaseKey, children, this.#pauses.get(lease.leaseKey)?.untilMs);
  }
}

/** The lease may go while it is being given up; then there is nothing left to give. */
async function endQuietly(giveUp: () => Promise<void>): Promise<void> {
  try {
    await giveUp();
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
  }
}

function heldLease(holding: Holding, stream: StreamLeases, parents: readonly Lease[]): HeldLease {
  const { taken: lease } = holding;
  return {
    leaseKey: lease.leaseKey,
    stream: stream.name,
    shardId: lease.shardId,
    fence: lease.counter,
    taken: {
      checkpoint: lease.checkpoint,
      startAtMs: startOf(lease, stream),
      state: lease.state,
      pending: lease.pending,
      parents: parents.map(({ shardId, state }) => ({ shardId, state })),
    },
    drain: holding.drainSignal,
    lost: holding.lostSignal,
    verify: () => holding.verify(),
    checkpoint: (upTo, state) => holding.checkpoint(upTo, state),
    prepareCheckpoint: (upTo, note) => holding.prepare(upTo, note),
    finish: (children, state) =>
      holding.finish(
        children.map((child) => childLease(stream, child, lease)),
        state,
      ),
    observe: (read) => holding.observe(read),
  };
}

/** Java does not store the time of AT_TIMESTAMP: each worker takes it from its own settings. */
function startOf(lease: Lease, stream: StreamLeases): number | undefined {
  switch (lease.checkpoint.type) {
    case 'LATEST':
      return lease.startAtMs;
    case 'AT_TIMESTAMP':
      return (
        lease.startAtMs ?? (stream.initial.type === 'AT_TIMESTAMP' ? stream.initial.timestampMs : undefined)
      );
    case 'TRIM_HORIZON':
    case 'POSITION':
    case 'SHARD_END':
      return undefined;
  }
}
