import { expect } from 'chai';
import type { LeaseEvent } from '../../../lib/leases/diagnostics.ts';
import { Holding } from '../../../lib/leases/holding.ts';
import { newMark, sendNow, type WorkerContext } from '../../../lib/leases/worker-context.ts';
import type { Lease } from '../../../lib/leases/lease.ts';
import { LeaseLost } from '../../../lib/leases/lease-lost.ts';
import { LeaseStoreError } from '../../../lib/leases/lease-store.ts';
import { createMemoryLeaseTable, type MemoryLeaseTable } from '../../../lib/leases/memory-lease-table.ts';
import { createLeaseStore, type LeaseTable } from '../../../lib/leases/table-lease-store.ts';
import { createTimeWatch } from '../../../lib/leases/time-watch.ts';
import { Life } from '../../../lib/leases/pulse.ts';
import { timingsFor } from '../../../lib/leases/timings.ts';
import { createManualClock, type ManualClock } from '../../../lib/runtime/manual-clock.ts';
import { sampleLease } from '../../support/leases.ts';

/** What becomes of the next calls: carried out and answered, not carried out, or carried out unanswered. */
type Fate =
  | 'answer'
  | 'slow-answer'
  | 'drop-request'
  | 'drop-response'
  | 'throttle'
  | { readonly landAfterMs: number };

interface Scene {
  readonly clock: ManualClock;
  readonly table: MemoryLeaseTable;
  readonly events: LeaseEvent[];
  readonly context: WorkerContext;
  readonly holding: Holding;
  readonly kept: Promise<void>;
  /** Fates of the next writes, in order; then all are answered. */
  readonly fates: Fate[];
  readonly writes: () => number;
  readonly rings: () => number;
  readonly current: () => Lease | undefined;
  /** Another worker's write, past all faults. */
  readonly other: ReturnType<typeof createLeaseStore>;
}

const timeoutMs = 1_500;

function withFates(table: LeaseTable, clock: ManualClock, fates: Fate[], onWrite: () => void): LeaseTable {
  const timeout = async (): Promise<never> => {
    await clock.sleep(timeoutMs);
    throw new LeaseStoreError('lease-table-unavailable', 'simulated timeout');
  };
  const write = async <T>(work: () => Promise<T>): Promise<T> => {
    onWrite();
    const fate = fates.shift() ?? 'answer';
    if (fate === 'answer') return work();
    if (fate === 'slow-answer') {
      const done = await work();
      await clock.sleep(500);
      return done;
    }
    if (fate === 'throttle') throw new LeaseStoreError('lease-table-throttled', 'simulated');
    if (fate === 'drop-response') await work();
    if (typeof fate === 'object') void clock.sleep(fate.landAfterMs).then(work);
    return timeout();
  };
  return {
    ...table,
    insert: (key, item) => write(() => table.insert(key, item)),
    update: (change) => write(() => table.update(change)),
  };
}

async function scene(over: Partial<Lease> = {}): Promise<Scene> {
  const clock = createManualClock({ startMs: 1_700_000_000_000 });
  const table = createMemoryLeaseTable();
  const events: LeaseEvent[] = [];
  const fates: Fate[] = [];
  let writes = 0;
  let rings = 0;
  let draws = 0;
  const timings = timingsFor(10_000);
  const report = (event: LeaseEvent): void => void events.push(event);
  const watch = createTimeWatch(clock, timings.clockToleranceMs, (byMs) =>
    report({ type: 'clock-jumped', byMs }),
  );
  const context: WorkerContext = {
    worker: 'a',
    life: new Life('a/1', { clock, timings, watch }),
    store: createLeaseStore(withFates(table, clock, fates, () => void (writes += 1))),
    clock,
    // Renewals are not spread: their times can be told.
    random: () => (draws += 1) / 1e9,
    timings,
    watch,
    report,
    leaving: new AbortController(),
  };
  const other = createLeaseStore(table);
  const created = await other.create(
    sampleLease({ leaseKey: 's-1', shardId: 's-1', ...over }),
    newMark(context),
  );
  if (created.type !== 'won') throw new Error('not created');
  const taken = await other.take(created.lease, newMark(context));
  if (taken.type !== 'won') throw new Error('not taken');
  const holding = new Holding(taken.lease, sendNow(context), context, () => void (rings += 1));
  const current = (): Lease | undefined => {
    const item = table.items.get('s-1');
    return item === undefined ? undefined : { ...taken.lease, counter: Number(item.leaseCounter) };
  };
  return {
    clock,
    table,
    events,
    context,
    holding,
    kept: holding.keep(),
    fates,
    writes: () => writes,
    rings: () => rings,
    current,
    other,
  };
}

const at = (n: number) => ({ type: 'POSITION', sequenceNumber: String(n), subSequenceNumber: 0 }) as const;
const types = (events: readonly LeaseEvent[]): string[] => events.map(({ type }) => type);

async function lossOf(promise: Promise<unknown>): Promise<LeaseLost> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(LeaseLost);
  return error as LeaseLost;
}

describe('a held lease', () => {
  it('is renewed at 58 % of the failover time, and not where checkpoints do it already', async () => {
    const { clock, holding, writes } = await scene();
    await clock.advance(60_000);
    expect(writes()).to.equal(10);
    for (let i = 1; i <= 20; i += 1) {
      await holding.checkpoint(at(i), {});
      await clock.advance(3_000);
    }
    expect(writes()).to.equal(30);
    expect(holding.ended).to.equal(false);
  });

  it('takes a renewal whose response was lost for what it is, and counts it once', async () => {
    const { clock, current, events, fates, holding } = await scene();
    const before = current()?.counter ?? 0;
    fates.push('drop-response');
    await clock.advance(9_000);
    expect(holding.ended).to.equal(false);
    expect(current()?.counter).to.equal(before + 1);
    expect(types(events)).to.deep.equal(['call-failed']);
  });

  it('survives the loss of two responses of one checkpoint', async () => {
    const { clock, fates, holding, table } = await scene();
    fates.push('drop-response', 'drop-response');
    const saved = holding.checkpoint(at(7), { count: 7 });
    await clock.advance(4_000);
    await saved;
    expect(table.items.get('s-1')).to.include({ checkpoint: '7', leaseCounter: 2 });
    expect(holding.ended).to.equal(false);
  });

  it('is not confused by a request that lands after its repetition', async () => {
    const { clock, fates, holding, table } = await scene();
    fates.push({ landAfterMs: 2_500 });
    const saved = holding.checkpoint(at(7), { count: 7 });
    await clock.advance(2_000);
    await saved;
    await holding.checkpoint(at(8), { count: 8 });
    await clock.advance(20_000);
    expect(table.items.get('s-1')).to.include({ checkpoint: '8' });
    expect(holding.ended).to.equal(false);
  });

  it('builds on a renewal that landed after all, when the checkpoint comes upon it', async () => {
    const { clock, events, fates, holding, table } = await scene();
    fates.push('drop-response', 'drop-request');
    await clock.advance(5_900);
    const saved = holding.checkpoint(at(3), {});
    await clock.advance(4_500);
    await saved;
    expect(table.items.get('s-1')).to.include({ checkpoint: '3', leaseCounter: 3 });
    expect(types(events)).not.to.include('lease-lost');
  });

  it('is lost at its deadline, 90 % of the failover time after the send time of the last confirmed write', async () => {
    const { clock, events, fates, holding } = await scene();
    // This write is answered late: what counts is when it was sent.
    fates.push('drop-response');
    await clock.advance(5_820 + timeoutMs + 200);
    fates.push(...Array.from({ length: 20 }, (): Fate => 'drop-request'));
    await clock.advance(5_820 + 9_000 - clock.monotonic() - 1);
    expect(holding.ended).to.equal(false);
    await clock.advance(1);
    expect(holding.lostSignal.aborted).to.equal(true);
    expect(events.at(-1)).to.deep.include({ type: 'lease-lost', reason: 'deadline' });
    expect((await lossOf(holding.checkpoint(at(1), {}))).reason).to.equal('deadline');
  });

  it('refuses everything past its deadline also where no timer could run (a blocked event loop)', async () => {
    const { clock, context, holding } = await scene();
    let blockedMs = 0;
    const blocked = { ...clock, monotonic: () => clock.monotonic() + blockedMs };
    const held = new Holding(holding.lease, { atMs: 0, jumps: 0 }, { ...context, clock: blocked }, () => {});
    await held.verify();
    blockedMs = 9_000;
    expect((await lossOf(held.verify())).reason).to.equal('deadline');
    expect(held.lostSignal.aborted).to.equal(true);
  });

  it('is lost once, when another worker has taken it', async () => {
    const { clock, current, events, holding, other } = await scene();
    await other.take(current()!, { worker: 'b', incarnation: 'b/1', nonce: 'x' });
    const counter = current()?.counter;
    expect((await lossOf(holding.checkpoint(at(1), {}))).reason).to.equal('taken');
    await lossOf(holding.verify());
    await clock.advance(30_000);
    expect(events.filter(({ type }) => type === 'lease-lost')).to.deep.equal([
      { type: 'lease-lost', leaseKey: 's-1', reason: 'taken', to: 'b' },
    ]);
    expect(current()?.counter).to.equal(counter);
  });

  it('says so when another process uses the same worker id', async () => {
    const { current, events, holding, other } = await scene();
    await other.take(current()!, { worker: 'a', incarnation: 'a/2', nonce: 'x' });
    await lossOf(holding.checkpoint(at(1), {}));
    expect(types(events)).to.deep.equal(['duplicate-worker', 'lease-lost']);
  });

  it('verifies itself with the table after the machine was suspended, before anything else', async () => {
    const { clock, events, holding, writes } = await scene();
    clock.freeze('suspended');
    await clock.advance(5_000);
    clock.thaw();
    const before = writes();
    await holding.verify();
    expect(writes()).to.equal(before + 1);
    await holding.verify();
    expect(writes()).to.equal(before + 1);
    expect(types(events)).to.deep.equal(['clock-jumped']);
  });

  it('regression: is suspended again while the answer to its verification is on its way, and taken meanwhile', async () => {
    const { clock, current, fates, holding, other } = await scene();
    clock.freeze('suspended');
    await clock.advance(3_000);
    clock.thaw();
    fates.push('slow-answer');
    const verified = lossOf(holding.verify());
    await clock.advance(100);
    clock.freeze('suspended');
    await clock.advance(60_000);
    await other.take(current()!, { worker: 'b', incarnation: 'b/1', nonce: 'x' });
    clock.thaw();
    await clock.advance(3_000);
    expect((await verified).reason).to.equal('taken');
  });

  it('finds out after a suspension that it was taken meanwhile', async () => {
    const { clock, current, holding, other } = await scene();
    clock.freeze('suspended');
    await clock.advance(60_000);
    await other.take(current()!, { worker: 'b', incarnation: 'b/1', nonce: 'x' });
    clock.thaw();
    expect((await lossOf(holding.verify())).reason).to.equal('taken');
  });

  it('is made again from what is held when somebody deletes its item', async () => {
    const { events, holding, table } = await scene();
    await holding.checkpoint(at(5), { count: 5 });
    table.items.delete('s-1');
    await holding.checkpoint(at(6), { count: 6 });
    expect(table.items.get('s-1')).to.deep.include({ checkpoint: '6', leaseOwner: 'a', state: { count: 6 } });
    expect(types(events)).to.deep.equal(['lease-restored']);
  });

  it('regression: is not made again after a suspension, in which another may have finished and removed it', async () => {
    const { clock, holding, table } = await scene();
    clock.freeze('suspended');
    await clock.advance(60_000);
    table.items.delete('s-1');
    clock.thaw();
    expect((await lossOf(holding.verify())).reason).to.equal('deleted');
    expect(table.items.size).to.equal(0);
  });

  it('regression: is not made again when it was given up unanswered, finished by the next and removed', async () => {
    for (const give of ['finish', 'release', 'assign'] as const) {
      const { clock, events, fates, holding, table } = await scene();
      fates.push('drop-response');
      const given = {
        finish: () => holding.finish([], {}),
        release: () => holding.release(),
        assign: () => holding.assign('b', 'ours'),
      }[give]();
      await clock.advance(timeoutMs - 1);
      table.items.delete('s-1');
      await clock.advance(2_000);
      await given;
      expect([...table.items.keys()], give).to.deep.equal([]);
      expect(types(events), give).not.to.include.members(['lease-restored']);
      expect(holding.ended, give).to.equal(true);
    }
  });

  it('regression: is not made again by an answer that comes after its deadline', async () => {
    const { clock, events, fates, table } = await scene();
    fates.push('drop-request', 'drop-request', 'slow-answer');
    table.items.delete('s-1');
    await clock.advance(12_000);
    expect([...table.items.keys(), ...types(events).slice(-1)]).to.deep.equal(['lease-lost']);
  });

  it('is made again once, even if the response to that is lost', async () => {
    const { clock, fates, holding, table } = await scene();
    table.items.delete('s-1');
    fates.push('answer', 'drop-response');
    const saved = holding.checkpoint(at(6), { count: 6 });
    await clock.advance(3_000);
    await saved;
    expect(table.items.get('s-1')).to.include({ checkpoint: '6', leaseOwner: 'a' });
  });

  it('is lost at once when the table is gone', async () => {
    const { holding, table } = await scene();
    table.drop();
    expect((await lossOf(holding.checkpoint(at(1), {}))).reason).to.equal('deleted');
  });

  it('is lost when somebody damages the item; the damage stays as evidence', async () => {
    const { holding, table } = await scene();
    const damaged = { ...table.items.get('s-1'), leaseCounter: 'many' };
    table.items.set('s-1', damaged);
    expect((await lossOf(holding.checkpoint(at(1), {}))).reason).to.equal('unreadable');
    expect(table.items.get('s-1')).to.equal(damaged);
  });

  it('notices a request to hand over at its next write, and goes on until its work is done', async () => {
    const { clock, current, events, holding, other, table } = await scene();
    await other.requestHandoff(current()!, 'a', 'b', 'ours');
    await clock.advance(5_900);
    expect(holding.drainSignal.aborted).to.equal(true);
    await holding.checkpoint(at(4), {});
    await clock.advance(20_000);
    expect(holding.ended).to.equal(false);
    await holding.assign('b', 'ours');
    expect(table.items.get('s-1')).to.include({ leaseOwner: 'b', offer: 'b', checkpoint: '4' });
    expect(types(events)).to.deep.equal(['handoff-noticed', 'lease-handed-over']);
  });

  it('hands over after half a minute although its work has not returned, and takes the right to act from it', async () => {
    const { clock, current, events, holding, other, table } = await scene();
    await other.requestHandoff(current()!, 'a', 'java', 'java');
    await clock.advance(5_900 + 29_000);
    expect([holding.ended, holding.lostSignal.aborted]).to.deep.equal([false, false]);
    await clock.advance(1_000);
    expect(holding.lostSignal.aborted).to.equal(true);
    expect(table.items.get('s-1'))
      .to.include({ leaseOwner: 'java' })
      .and.not.have.property('checkpointOwner');
    expect(types(events)).to.deep.equal(['handoff-noticed', 'work-overran', 'lease-handed-over']);
  });

  it('writes nothing more once it was given up', async () => {
    const { clock, holding, kept, writes } = await scene();
    await holding.release();
    await kept;
    const before = writes();
    await clock.advance(60_000);
    expect(writes()).to.equal(before);
    expect((await lossOf(holding.checkpoint(at(1), {}))).reason).to.equal('ended');
  });

  it('refuses to move a checkpoint back', async () => {
    const { holding } = await scene();
    await holding.checkpoint(at(5), {});
    const error = await holding.checkpoint(at(4), {}).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.include({ code: 'broken-invariant' });
  });

  it('writes what it measured with whatever it writes', async () => {
    const { clock, holding, table } = await scene();
    await clock.advance(2_000);
    holding.observe({ bytes: 2 * 1_024 * 100, fromMs: 0, toMs: 2_000 });
    await holding.checkpoint(at(5), {});
    // 100 KiB/s for 2 s.
    expect(table.items.get('s-1')).to.include({ throughputKBps: 4.51584 });
  });
});
