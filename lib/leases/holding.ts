import { assert } from '../runtime/errors.ts';
import { backoffMs } from '../runtime/retry.ts';
import { compareCheckpoints } from './checkpoint.ts';
import type { CheckpointPosition } from './held-lease.ts';
import { createChild } from './child-lease.ts';
import { actualOwner, type Lease } from './lease.ts';
import type { Pulse } from './pulse.ts';
import { LeaseLost, type LossReason } from './lease-lost.ts';
import { LeaseStoreError, type WriteOutcome } from './lease-store.ts';
import type { Kind } from './lease-writes.ts';
import { orCleanedUp, orGone, type Send } from './or-gone.ts';
import type { SavedState } from './saved-state.ts';
import { createThroughput, type ReadStretch, type Throughput } from './throughput.ts';
import { newMark, sendNow, type Sent, type WorkerContext } from './worker-context.ts';

/** Which writes may mark a lease as the pulse: those after which it is still held. */
const marking: ReadonlySet<string> = new Set(['renew', 'checkpoint', 'prepare']);

/**
 * The first renewals of leases that were taken together are spread over this part of the interval, and so are those
 * that follow: then one of them comes soon whenever somebody rings.
 */
const spread = 0.8;

/**
 * One lease while this worker holds it: the only place from which it is written, one write at a time. Knows until
 * when the lease is surely ours: the *send* time of the last confirmed write, or that of the pulse if it is older, plus
 * `ownMs`, on the monotonic clock.
 */
export class Holding {
  /** As it stood when it was taken; its counter is the fence. */
  readonly taken: Lease;
  readonly #context: WorkerContext;
  /** Of this process when the lease was taken. */
  readonly #pulse: Pulse;
  readonly #onRung: () => void;
  readonly #throughput: Throughput;
  readonly #drain = new AbortController();
  readonly #lost = new AbortController();
  readonly #ended = new AbortController();
  /** Counter and nonce of each write that was sent since the last confirmed one: any of them may have landed. */
  readonly #sent = new Map<string, Sent>();
  #lease: Lease;
  #confirmed: Sent;
  #renewAfterMs: number;
  #loss: LossReason | undefined;
  /** When the lease goes to whoever asked for it, even if the work has not returned. */
  #handoffDueMs = Number.POSITIVE_INFINITY;
  #last: Promise<unknown> = Promise.resolve();

  /** `sent`: the write that took the lease. `onRung`: somebody has something for this worker, see Lease.bell. */
  constructor(lease: Lease, sent: Sent, context: WorkerContext, onRung: () => void) {
    this.taken = lease;
    this.#lease = lease;
    this.#context = context;
    this.#confirmed = sent;
    this.#pulse = context.life.pulseOf(lease);
    this.#pulse.saw(lease, sent);
    this.#onRung = onRung;
    this.#renewAfterMs = this.#spreadMs();
    this.#throughput = createThroughput(sent.atMs, lease.throughputKBps ?? 0);
  }

  get lease(): Lease {
    return this.#lease;
  }
  get drainSignal(): AbortSignal {
    return this.#drain.signal;
  }
  get lostSignal(): AbortSignal {
    return this.#lost.signal;
  }
  /** Lost, released, handed over or finished. */
  get ended(): boolean {
    return this.#ended.signal.aborted;
  }
  get deadlineMs(): number {
    return Math.min(this.#confirmed.atMs, this.#pulse.confirmedAtMs) + this.#context.timings.ownMs;
  }

  /** Renews and watches the deadline until the lease ends. Never rejects. */
  async keep(): Promise<void> {
    await Promise.all([this.#guard(), this.#renew()]);
  }

  drain(): void {
    this.#drain.abort();
  }

  lose(reason: LossReason, to?: string): void {
    if (this.ended) return;
    this.#loss = reason;
    this.#lost.abort();
    this.#ended.abort();
    this.#context.report({ type: 'lease-lost', leaseKey: this.#lease.leaseKey, reason, to });
  }

  /** Ends the work although it has not returned, and gives the lease up all the same. */
  async evict(): Promise<void> {
    this.#lost.abort();
    await this.release();
  }

  /** See HeldLease.verify. */
  async verify(): Promise<void> {
    this.#assertWorking();
    // More than once if the machine is suspended again while the answer is on its way.
    while (this.#suspicious()) {
      if (!(await this.#pulse.verify())) this.lose('deadline');
      await this.#verifyOwn();
      this.#assertWorking();
    }
  }

  async checkpoint(upTo: CheckpointPosition, state: SavedState): Promise<void> {
    this.#assertWorking();
    this.#assertForward(upTo);
    await this.#write('checkpoint', (lease, mark) =>
      this.#context.store.checkpoint(lease, upTo, state, mark),
    );
  }

  async prepare(upTo: CheckpointPosition, note: Uint8Array): Promise<void> {
    this.#assertWorking();
    this.#assertForward(upTo);
    await this.#write('prepare', (lease, mark) => this.#context.store.prepare(lease, upTo, note, mark));
  }

  /** SHARD_END, after leases for `children` were created where they did not exist. */
  async finish(children: readonly Lease[], state: SavedState): Promise<void> {
    this.#assertWorking();
    for (const child of children) await this.#createChild(child);
    const shardIds = children.map((child) => child.shardId);
    const send: Send = (lease, mark) => this.#context.store.finish(lease, shardIds, state, mark);
    await this.#write('finish', orCleanedUp(send, shardIds));
    this.#end();
    this.#context.report({ type: 'lease-finished', leaseKey: this.#lease.leaseKey, children: shardIds });
  }

  /** To whoever asked for it, otherwise to nobody. */
  async release(): Promise<void> {
    const { store, worker } = this.#context;
    await this.#write('release', orGone(worker, store.release));
    this.#end();
    const { leaseKey, leaseOwner: to } = this.#lease;
    this.#context.report(
      to === undefined ? { type: 'lease-released', leaseKey } : { type: 'lease-handed-over', leaseKey, to },
    );
  }

  async assign(to: string, kind: Kind): Promise<void> {
    const { store, worker } = this.#context;
    await this.#write(
      'assign',
      orGone(worker, (lease, mark) => store.assign(lease, to, mark, kind)),
    );
    this.#end();
    this.#context.report({ type: 'lease-handed-over', leaseKey: this.#lease.leaseKey, to });
  }

  observe(read: ReadStretch): void {
    this.#throughput.observe(read);
  }

  /** What somebody has just read of this item: how a hand-off is noticed before the next renewal. */
  notice(read: Lease): void {
    const asked = read.checkpointOwner === this.#context.worker && this.#lease.checkpointOwner === undefined;
    if (!this.ended && asked && read.counter === this.#lease.counter) this.#adopt(read);
  }

  async #guard(): Promise<void> {
    const { clock } = this.#context;
    while (!this.ended) {
      const nowMs = clock.monotonic();
      const dueMs = Math.min(this.deadlineMs, this.#handoffDueMs);
      if (nowMs < dueMs) await clock.sleep(dueMs - nowMs, this.#ended.signal);
      else if (nowMs >= this.deadlineMs) this.lose('deadline');
      else await this.#handOverLate();
    }
  }

  /** An asker has waited for long enough: from a failover time later on anybody may take the lease. */
  async #handOverLate(): Promise<void> {
    this.#handoffDueMs = Number.POSITIVE_INFINITY;
    this.#context.report({ type: 'work-overran', leaseKey: this.#lease.leaseKey });
    try {
      await this.evict();
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
    }
  }

  async #renew(): Promise<void> {
    const { clock } = this.#context;
    const dueMs = (): number =>
      this.#wantsMark() ? 0 : this.#confirmed.atMs + this.#renewAfterMs - clock.monotonic();
    while (!this.ended) {
      await clock.sleep(Math.max(0, dueMs()), this.#ended.signal);
      try {
        if (!this.ended) await this.#renewIf(() => dueMs() <= 0);
      } catch (error) {
        if (!(error instanceof LeaseLost)) throw error;
      }
    }
  }

  #renewIf(needed: () => boolean): Promise<void> {
    return this.#queue(async () => {
      // A checkpoint that went first has renewed the lease already.
      if (!needed()) return;
      this.#renewAfterMs = this.#context.timings.renewMs;
      await this.#attempt('renew', (lease, mark) => this.#context.store.renew(lease, mark));
    });
  }

  #verifyOwn(): Promise<void> {
    return this.#renewIf(() => this.#unverified());
  }

  #wantsMark(): boolean {
    const { life } = this.#context;
    return life.pulseWanted && life.pulse === this.#pulse && !this.#pulse.marked;
  }

  #spreadMs(): number {
    const { random, timings } = this.#context;
    return timings.renewMs * (1 - spread * random());
  }

  #write(doing: string, send: Send): Promise<void> {
    return this.#queue(() => this.#attempt(doing, send));
  }

  /** Whoever queued a write learns how it went; the next in the queue only waits for it. */
  #queue(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    const next = (): void => {};
    this.#last = done.then(next, next);
    return done;
  }

  /** Sends one write, the same each time, until it is known to have landed or to have lost. */
  async #attempt(doing: string, send: Send): Promise<void> {
    const mark = { ...newMark(this.#context), pulse: marking.has(doing) && this.#wantsMark() };
    for (let failures = 0; ; failures += 1) {
      this.#assertHeld();
      const sent = this.#noteSent(mark.nonce);
      if (mark.pulse) this.#pulse.sending(this.#lease.leaseKey, sent, () => this.#verifyOwn());
      const throughputKBps = this.#throughput.sample(this.#context.clock.monotonic());
      try {
        const outcome = await send(
          this.#lease,
          throughputKBps === undefined ? mark : { ...mark, throughputKBps },
        );
        if (outcome.type === 'won') return this.#confirm(outcome.lease, sent);
        await this.#afterLosing(outcome);
      } catch (error) {
        if (!(error instanceof LeaseStoreError)) throw error;
        await this.#afterFailure(doing, error, failures);
      }
    }
  }

  #noteSent(nonce: string): Sent {
    const key = `${this.#lease.counter + 1} ${nonce}`;
    // The first time counts: which of several tries landed is not known.
    const sent = this.#sent.get(key) ?? sendNow(this.#context);
    this.#sent.set(key, sent);
    return sent;
  }

  #confirm(lease: Lease, sent: Sent): void {
    this.#sent.clear();
    if (sent.atMs >= this.#confirmed.atMs) this.#confirmed = sent;
    this.#pulse.saw(lease, this.#confirmed);
    this.#adopt(lease);
  }

  #adopt(lease: Lease): void {
    const asked = lease.checkpointOwner === this.#context.worker && this.#lease.checkpointOwner === undefined;
    if (lease.bell !== this.#lease.bell) this.#onRung();
    this.#lease = lease;
    if (!asked) return;
    const { clock, report, timings } = this.#context;
    this.#handoffDueMs = clock.monotonic() + timings.handoffMs;
    report({ type: 'handoff-noticed', leaseKey: lease.leaseKey, to: lease.leaseOwner });
    this.drain();
  }

  /** Returns if the write should be sent again on what stands there now; otherwise the lease is lost. */
  async #afterLosing(outcome: Exclude<WriteOutcome, { type: 'won' }>): Promise<void> {
    switch (outcome.type) {
      case 'missing':
        return this.#restore();
      case 'unreadable':
        this.#pulse.gone(this.#lease.leaseKey);
        return this.lose('unreadable');
      case 'lost': {
        const { current } = outcome;
        const earlier = this.#sent.get(`${current.counter} ${current.writeNonce}`);
        if (earlier !== undefined && actualOwner(current) === this.#context.worker) {
          this.#context.report({ type: 'write-recovered', leaseKey: current.leaseKey });
          return this.#confirm(current, earlier);
        }
        const asked = current.checkpointOwner === this.#context.worker;
        if (asked && current.counter === this.#lease.counter && this.#lease.checkpointOwner === undefined) {
          return this.#adopt(current);
        }
        return this.#loseTo(current);
      }
    }
  }

  #loseTo(current: Lease): void {
    const { life, worker, report } = this.#context;
    this.#pulse.saw(current, undefined);
    if (
      actualOwner(current) === worker &&
      current.incarnation !== undefined &&
      !life.incarnations.has(current.incarnation)
    ) {
      report({ type: 'duplicate-worker', worker, incarnation: current.incarnation });
    }
    this.lose(current.replay === this.#lease.replay ? 'taken' : 'reset', current.leaseOwner);
  }

  /**
   * Somebody deleted the item: made again from what we hold, unless another has made it meanwhile. Not after a
   * suspension: then another may have taken the lease, finished the shard and rightly removed the lease.
   */
  async #restore(): Promise<void> {
    this.#assertHeld();
    if (this.#unverified()) {
      this.#pulse.gone(this.#lease.leaseKey);
      return this.lose('deleted');
    }
    const { worker, report, store } = this.#context;
    const { incarnation } = this.#pulse;
    const mark = newMark(this.#context);
    const counter = this.#lease.counter + 1;
    const whole = { ...this.#lease, counter, leaseOwner: worker, checkpointOwner: undefined, incarnation };
    const sent = this.#noteSent(mark.nonce);
    const outcome = await store.create(whole, mark);
    if (outcome.type !== 'won') return outcome.type === 'missing' ? undefined : this.#afterLosing(outcome);
    this.#confirm(outcome.lease, sent);
    report({ type: 'lease-restored', leaseKey: whole.leaseKey });
  }

  async #afterFailure(doing: string, error: LeaseStoreError, failures: number): Promise<void> {
    const { clock, random, report, timings } = this.#context;
    report({ type: 'call-failed', doing: `${doing} ${this.#lease.leaseKey}`, error });
    if (error.code === 'lease-table-missing') return this.lose('deleted');
    const backoff = { ...timings.retry, tries: Number.POSITIVE_INFINITY };
    await clock.sleep(backoffMs(backoff, failures + 1, random()), this.#ended.signal);
  }

  async #createChild(child: Lease): Promise<void> {
    const mark = newMark(this.#context);
    for (let failures = 0; ; failures += 1) {
      this.#assertHeld();
      try {
        return await createChild(this.#context, this.#lease.shardId, child, mark);
      } catch (error) {
        if (!(error instanceof LeaseStoreError)) throw error;
        await this.#afterFailure('create child of', error, failures);
      }
    }
  }

  #end(): void {
    this.#loss = 'ended';
    this.#ended.abort();
  }

  #suspicious(): boolean {
    return this.#unverified() || this.#pulse.suspicious;
  }

  #unverified(): boolean {
    const { atMs, jumps } = this.#confirmed;
    return this.#context.watch.jumps() !== jumps || atMs < this.#pulse.relearnedAtMs;
  }

  /** Looks at the clock itself: after a blocked event loop the guard comes too late. */
  #assertHeld(): void {
    if (!this.ended && this.#context.clock.monotonic() >= this.deadlineMs) this.lose('deadline');
    if (this.ended) throw new LeaseLost(this.#lease.leaseKey, this.#loss ?? 'ended');
  }

  #assertWorking(): void {
    this.#assertHeld();
    if (this.#lost.signal.aborted) throw new LeaseLost(this.#lease.leaseKey, 'overran');
  }

  #assertForward(upTo: CheckpointPosition): void {
    const forward = compareCheckpoints(upTo, this.#lease.checkpoint) >= 0;
    assert(forward, `${this.#lease.leaseKey}: the checkpoint was to move back to ${upTo.sequenceNumber}`);
  }
}
