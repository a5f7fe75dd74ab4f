import { expect } from 'chai';
import { replay, type ReplaySettings } from '../../lib/leases/replay.ts';
import { faultyLeaseTable, type LeaseTableLine } from '../../lib/leases/lease-table-faults.ts';
import { createLeaseStore } from '../../lib/leases/table-lease-store.ts';
import { failure } from '../support/lease-scene.ts';
import { seededRandom } from '../support/lease-workers.ts';
import { createStage, eventsOf, failoverMs, shardId, type Stage, stream, texts } from './support/stage.ts';

interface Operator {
  readonly line: LeaseTableLine;
  readonly replay: (over: Partial<ReplaySettings>) => ReturnType<typeof replay>;
}

/** Somebody who asks for replays, from a process of their own. */
function operator({ clock, audit, kinesis, table }: Stage): Operator {
  const random = seededRandom(35);
  const line = faultyLeaseTable(audit.watch(table), { clock, random, requestMs: 1_500 });
  const store = createLeaseStore(line);
  const settings = {
    store,
    kinesis,
    stream,
    clock,
    random,
    id: 'again',
    from: { type: 'TRIM_HORIZON' },
  } as const;
  return { line, replay: (over) => replay({ ...settings, ...over }) };
}

/** How often each of these texts was delivered: the numbers that occur. */
function timesOf({ audit }: Stage, wanted: (text: string, shardId: string) => boolean): readonly number[] {
  const counts = new Map<string, number>();
  for (const { text, shardId } of audit.delivered) {
    if (wanted(text, shardId)) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...new Set(counts.values())];
}

/** Runs a call that waits on the clock, moving it. */
async function moved<T>(stage: Stage, call: Promise<T>): Promise<T> {
  let over = false;
  const done = call.finally(() => (over = true));
  // Heard here, so that a rejection while the clock moves is not taken for an unhandled one.
  const settled = failure(done);
  await stage.until('the call is over', () => over, 120_000);
  await settled;
  return done;
}

describe('scenario 35: a replay while workers run', function () {
  this.timeout(20_000);

  it('resets 3 of 8 shards, crashes in the middle, is run again: exactly those restart from T, once', async () => {
    const stage = createStage(8);
    stage.start('a');
    stage.start('b');
    await stage.put(texts(80, 'old'));
    await stage.clock.advance(20_000);
    const timestampMs = stage.clock.now();
    await stage.put(texts(80, 'new'));
    await stage.clock.advance(20_000);
    expect(stage.audit.undelivered()).to.equal(0);

    const shards = [1, 4, 6].map(shardId);
    const call = { shards, from: { type: 'AT_TIMESTAMP', timestampMs } } as const;
    const { line, replay: again } = operator(stage);
    // The first reset goes through; then this process hears nothing of the table any more, and ends.
    let resets = 0;
    const die = line.fault({ on: 'update', where: () => (resets += 1) > 1, fault: { type: 'drop-request' } });
    expect(await failure(moved(stage, again(call)))).to.include({ code: 'lease-table-unavailable' });
    die();
    const outcomes = await moved(stage, again(call));
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['done-before', 'reset', 'reset']);
    await stage.clock.advance(20_000);
    const third = await moved(stage, again(call));
    expect(third.map(({ outcome }) => outcome)).to.deep.equal(['done-before', 'done-before', 'done-before']);
    await stage.put(texts(80, 'later'));
    await stage.clock.advance(20_000);

    expect(stage.audit.undelivered()).to.equal(0);
    const chosen = (shardId: string): boolean => shards.includes(shardId);
    expect(timesOf(stage, (text, shardId) => text.startsWith('new') && chosen(shardId))).to.deep.equal([2]);
    expect(timesOf(stage, (text, shardId) => !text.startsWith('new') || !chosen(shardId))).to.deep.equal([1]);
    const lost = stage.workers.flatMap((worker) => eventsOf(worker, 'lease-lost'));
    expect(lost.map(({ leaseKey, reason }) => `${leaseKey} ${reason}`).sort()).to.deep.equal(
      shards.map((shardId) => `${shardId} reset`),
    );
    await stage.end();
  });

  it('refuses what an old batch still wants to save, and drops that batch', async () => {
    const stage = createStage(1);
    let hold = true;
    const worker = stage.start('a', {
      options: { checkpointMs: 1 },
      handle: async () => {
        if (hold) await stage.clock.sleep(4_000);
      },
    });
    await stage.put(texts(5));
    await stage.clock.advance(2_000);
    const { replay: again } = operator(stage);
    expect(await moved(stage, again({}))).to.deep.equal([{ shardId: shardId(0), outcome: 'reset' }]);
    hold = false;
    await stage.clock.advance(10_000);
    expect(eventsOf(worker, 'lease-lost').map(({ reason }) => reason)).to.deep.equal(['reset']);
    expect(timesOf(stage, () => true)).to.deep.equal([2]);
    await stage.end();
  });

  it('lets nobody else begin before the holder has noticed, who goes on delivering until then', async () => {
    const stage = createStage(4);
    const options = { checkpointMs: 20_000, pollMs: 100 };
    const [a, b] = [stage.start('a', { options }), stage.start('b', { options })];
    await stage.putEach(5, 'old');
    await stage.until(
      'the leases are shared',
      () => a.shards().length === 2 && b.shards().length === 2,
      15_000,
    );
    await moved(stage, operator(stage).replay({}));
    const resetAtMs = stage.clock.monotonic();
    for (let i = 0; i < 50; i += 1) {
      await stage.putEach(1, `new${i}`);
      await stage.clock.advance(200);
    }
    const meanwhile = stage.audit.delivered.filter(
      ({ atMs, text }) => atMs > resetAtMs && text.startsWith('new'),
    );
    expect(meanwhile.length).to.be.greaterThan(0);
    expect([a, b].map((worker) => eventsOf(worker, 'lease-lost').length)).to.deep.equal([2, 2]);
    expect(stage.audit.undelivered()).to.be.below(8);
    await stage.end();
  });

  it('reads parents again before their children, cleaned-up leases included', async () => {
    const stage = createStage(1);
    stage.start('a');
    await stage.put(texts(20, 'parent'));
    stage.kinesis.split(stream, shardId(0));
    await stage.put(texts(20, 'child'));
    const cleaned = (): boolean => !stage.table.items.has(shardId(0));
    await stage.until('the parent’s lease is removed', cleaned, 180_000);
    const { replay: again } = operator(stage);
    const outcomes = await moved(stage, again({}));
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['created', 'reset', 'reset']);
    await stage.until('the parent’s lease is removed again', cleaned, 180_000);
    const rerun = await moved(stage, again({}));
    expect(rerun.map(({ outcome }) => outcome)).to.deep.equal(['done-before', 'done-before', 'done-before']);
    await stage.clock.advance(20_000);
    expect(timesOf(stage, () => true)).to.deep.equal([2]);
    const last = stage.audit.delivered.slice(-40).map(({ text }) => text);
    expect(last.slice(0, 20)).to.deep.equal(texts(20, 'parent'));
    await stage.end();
  });

  it('takes a lost answer for what it is, and wins over a holder who writes all the time', async () => {
    const stage = createStage(2);
    stage.start('a', { options: { checkpointMs: 1, pollMs: 50 } });
    await stage.put(texts(10));
    await stage.clock.advance(failoverMs);
    const { line, replay: again } = operator(stage);
    line.fault({ on: 'update', times: 2, fault: { type: 'drop-response' } });
    let more = 0;
    const call = again({});
    for (; more < 30; more += 1) {
      await stage.put([`more${more}`]);
      await stage.clock.advance(200);
    }
    await moved(stage, call);
    await stage.clock.advance(20_000);
    expect(timesOf(stage, (text) => text.startsWith('r'))).to.deep.equal([2]);
    await stage.end();
  });

  it('refuses a time that is yet to come, and shards that are not there', async () => {
    const stage = createStage(1);
    const { replay: again } = operator(stage);
    const future = { type: 'AT_TIMESTAMP', timestampMs: stage.clock.now() + 1 } as const;
    expect(await failure(again({ from: future }))).to.include({ code: 'replay-in-future' });
    expect(await failure(again({ shards: ['shardId-9'] }))).to.include({ code: 'shard-not-found' });
    expect(await failure(again({ id: '' }))).to.include({ code: 'replay-without-id' });
  });
});
