import { expect } from 'chai';
import type { EventHandler } from '../../../lib/consumer/events.ts';
import type { WindowDefinition } from '../../../lib/event/windows-rules.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import type { WindowRow } from '../../../lib/stores/window-rows.ts';
import { createWindowStore, type WindowStore } from '../../../lib/stores/windows.ts';
import { createAggregatorHandler } from '../../../services/aggregator/handler.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';
import { noStart, sampleContext, sampleRecord } from '../../support/events.ts';

const minute = 60_000;
const day = 86_400_000;
let names = 0;

/** Every test has its own definition, and so its own windows in the one table. */
function definition(over: Partial<WindowDefinition> = {}): WindowDefinition {
  names += 1;
  return { name: `w${names}`, sizeMs: 5 * minute, latenessMs: 10 * minute, group: 'type', ...over };
}

describe('the aggregator', () => {
  let tables: TestTables;
  let windows: WindowStore;
  before(async () => {
    tables = await startTables(['windows']);
    windows = createWindowStore({ client: tables.client, table: 'windows', clock: systemClock });
  });
  after(() => tables.close());

  /** A clock that stands `lookEveryMs` further at every look, so that no look is left out. */
  const steppingClock = () => {
    let ms = 0;
    return { ...systemClock, monotonic: () => (ms += 10_000) };
  };
  const create = (definitions: readonly WindowDefinition[], shards: readonly string[]): EventHandler =>
    createAggregatorHandler({
      definitions,
      windows,
      listShards: async () => shards,
      clock: steppingClock(),
      idleMs: minute,
    });
  const rows = async (of: WindowDefinition): Promise<readonly WindowRow[]> =>
    (await windows.list({ definition: of.name, order: 'asc', limit: 1_000 })).items;
  const brief = (all: readonly WindowRow[]) =>
    all.map(({ start, group, count, late_count, final, revision }) => ({
      at: start.slice(11, 16),
      group,
      count,
      late: late_count,
      final,
      revision,
    }));

  it('counts per window and group, and says late by the watermark before the record', async () => {
    const w = definition();
    const handler = create([w], [`city/${w.name}`]);
    const context = sampleContext({ shardId: w.name });
    const at = (n: number, minutes: number, type = 'weather') =>
      sampleRecord({ at: n, time: minutes * minute, type });
    await handler.start(noStart, context);
    const outcomes = await handler.handle(
      [
        at(1, 1),
        at(2, 14.9),
        at(3, 4), // the window ends at 5, the watermark is at 4.9
        at(4, 15),
        at(5, 4), // the watermark has come to 5
        at(6, 6, 'traffic'), // behind the watermark of 5, in a window that is open
      ],
      context,
    );
    expect(outcomes).to.deep.equal(['windowed', 'windowed', 'windowed', 'windowed', 'late', 'windowed']);
    await handler.flush({ sequenceNumber: '6', subSequenceNumber: 0 }, context);
    expect(brief(await rows(w))).to.deep.equal([
      { at: '00:00', group: 'weather', count: 2, late: 1, final: true, revision: 1 },
      { at: '00:05', group: 'traffic', count: 1, late: 0, final: false, revision: 1 },
      { at: '00:10', group: 'weather', count: 1, late: 0, final: false, revision: 1 },
      { at: '00:15', group: 'weather', count: 1, late: 0, final: false, revision: 1 },
    ]);
    expect((await rows(w))[0]).to.deep.include({ late_by: [1, 0, 0, 0, 0], late_samples: ['event-5'] });
  });

  it('keeps a window open while another shard, begun or not, has not passed its end', async () => {
    const w = definition();
    const shards = [`city/${w.name}-a`, `city/${w.name}-b`];
    const [a, b] = [create([w], shards), create([w], shards)];
    const [ofA, ofB] = ['a', 'b'].map((id) => sampleContext({ shardId: `${w.name}-${id}` }));
    await a.start(noStart, ofA!);
    await a.handle([sampleRecord({ at: 1, time: 0 }), sampleRecord({ at: 2, time: 60 * minute })], ofA!);
    await a.flush({ sequenceNumber: '2', subSequenceNumber: 0 }, ofA!);
    expect((await rows(w))[0]?.final, 'b has not begun').to.equal(false);

    await b.start(noStart, ofB!);
    await b.handle([sampleRecord({ at: 1, time: 14 * minute })], ofB!);
    await b.flush({ sequenceNumber: '1', subSequenceNumber: 0 }, ofB!);
    await a.idle?.(0, ofA!);
    expect((await rows(w))[0]?.final, 'b is behind').to.equal(false);

    await b.handle([sampleRecord({ at: 2, time: 15 * minute })], ofB!);
    await b.flush({ sequenceNumber: '2', subSequenceNumber: 0 }, ofB!);
    await a.idle?.(0, ofA!);
    expect((await rows(w))[0]?.final, 'both have passed').to.equal(true);
  });

  it('lets the clock close windows when idle, but not decide what is late; then the window gets a revision', async () => {
    const w = definition();
    const handler = create([w], [`city/${w.name}`]);
    const context = sampleContext({ shardId: w.name });
    await handler.start(noStart, context);
    await handler.handle([sampleRecord({ at: 1, time: 0 })], context);
    await handler.flush({ sequenceNumber: '1', subSequenceNumber: 0 }, context);
    await handler.idle?.(15 * minute, context);
    await handler.idle?.(16 * minute - 1, context);
    expect((await rows(w))[0]?.final, 'idle for less than idleMs').to.equal(false);
    await handler.idle?.(16 * minute, context);
    expect((await rows(w))[0]?.final).to.equal(true);

    const outcomes = await handler.handle([sampleRecord({ at: 2, time: 1 })], context);
    expect(outcomes).to.deep.equal(['windowed']);
    await handler.flush({ sequenceNumber: '2', subSequenceNumber: 0 }, context);
    const afterwards = { at: '00:00', group: 'weather', count: 2, late: 0, revision: 2 };
    expect(brief(await rows(w))).to.deep.equal([{ ...afterwards, final: false }]);
    await handler.idle?.(17 * minute, context);
    await handler.idle?.(18 * minute, context);
    expect(brief(await rows(w))).to.deep.equal([{ ...afterwards, final: true }]);
    const entries = await windows.marks({ definition: w.name, sizeMs: w.sizeMs, fromMs: 0, toMs: 1 });
    expect(
      entries.flatMap(({ marks }) => marks).map(({ revision, groups }) => [revision, groups]),
    ).to.deep.equal([
      [1, { weather: 1 }],
      [2, { weather: 2 }],
    ]);
  });

  it('begins a child at the lowest event time of its parents', async () => {
    const w = definition();
    const parent = (shardId: string, max_time: number) => ({ shardId, state: { max_time, open_from: {} } });
    const child = create([w], []);
    const context = sampleContext({ shardId: w.name });
    const parents = [parent('p', 30 * minute), parent('q', 20 * minute)];
    await child.start({ ...noStart, parents }, context);
    const times = [5 * minute, 10 * minute];
    const outcomes = await child.handle(
      times.map((time, n) => sampleRecord({ at: n + 1, time })),
      context,
    );
    expect(outcomes).to.deep.equal(['late', 'windowed']);
  });

  it('closes, as a child, the windows that its parent left open', async () => {
    const w = definition();
    const [ofParent, ofChild] = ['p', 'c'].map((id) => sampleContext({ shardId: `${w.name}-${id}` }));
    const parent = create([w], [`city/${w.name}-p`, 'city/another']);
    await parent.start(noStart, ofParent!);
    await parent.handle(
      [sampleRecord({ at: 1, time: 0 }), sampleRecord({ at: 2, time: 15 * minute })],
      ofParent!,
    );
    await parent.shardEnd?.(ofParent!);
    const state = await parent.flush({ sequenceNumber: '2', subSequenceNumber: 0 }, ofParent!);
    expect(brief(await rows(w)).map(({ final }) => final)).to.deep.equal([false, false]);

    const child = create([w], [`city/${w.name}-p`, `city/${w.name}-c`]);
    await child.start({ ...noStart, parents: [{ shardId: `${w.name}-p`, state }] }, ofChild!);
    await child.idle?.(0, ofChild!);
    expect(brief(await rows(w)).map(({ final }) => final)).to.deep.equal([true, false]);
  });

  it('never lets an older owner overwrite a newer one', async () => {
    const w = definition();
    const [zombie, heir] = [create([w], []), create([w], [])];
    const [older, newer] = [1, 2].map((fence) => sampleContext({ shardId: w.name, fence }));
    const records = [1, 2, 3].map((n) => sampleRecord({ at: n, time: n }));
    await zombie.start(noStart, older!);
    await zombie.handle(records, older!);
    await heir.start(noStart, newer!);
    await heir.handle(records.slice(0, 2), newer!);
    await heir.flush({ sequenceNumber: '2', subSequenceNumber: 0 }, newer!);
    const failed = await zombie.flush({ sequenceNumber: '3', subSequenceNumber: 0 }, older!).then(
      () => 'written',
      (error: { code?: string }) => error.code,
    );
    expect(failed).to.equal('fenced-out');
    await heir.handle(records.slice(2), newer!);
    await heir.flush({ sequenceNumber: '3', subSequenceNumber: 0 }, newer!);
    expect((await rows(w)).map(({ count }) => count)).to.deep.equal([3]);
  });

  it('goes on from what a zombie wrote before the heir did, and counts nothing twice', async () => {
    const w = definition();
    const [zombie, heir] = [create([w], []), create([w], [])];
    const [older, newer] = [1, 2].map((fence) => sampleContext({ shardId: w.name, fence }));
    const records = [1, 2, 3, 4].map((n) => sampleRecord({ at: n, time: n }));
    await zombie.start(noStart, older!);
    await zombie.handle(records.slice(0, 3), older!);
    await heir.start(noStart, newer!);
    await heir.handle(records.slice(0, 2), newer!);
    // The zombie's watermark is refused, but its parts (they come first) are in.
    await zombie
      .flush({ sequenceNumber: '3', subSequenceNumber: 0 }, older!)
      .catch((error: unknown) => error);
    await heir.flush({ sequenceNumber: '2', subSequenceNumber: 0 }, newer!);
    await heir.handle(records.slice(2), newer!);
    await heir.flush({ sequenceNumber: '4', subSequenceNumber: 0 }, newer!);
    expect((await rows(w)).map(({ count }) => count)).to.deep.equal([4]);
  });

  it('says that a window with late events only is final when every shard has passed it, and marks nothing', async () => {
    const w = definition();
    const shards = [`city/${w.name}-a`, `city/${w.name}-b`];
    const [a, b] = [create([w], shards), create([w], shards)];
    const [ofA, ofB] = ['a', 'b'].map((id) => sampleContext({ shardId: `${w.name}-${id}` }));
    // Later than all that other tests have passed: what was passed once stays passed.
    const at = (n: number, minutes: number) => sampleRecord({ at: n, time: 1_000 * day + minutes * minute });
    await a.start(noStart, ofA!);
    await a.handle([at(1, 60), at(2, 0)], ofA!);
    const state = await a.flush({ sequenceNumber: '2', subSequenceNumber: 0 }, ofA!);
    const late = { at: '00:00', group: 'weather', count: 0, late: 1, revision: 0 };
    expect(brief(await rows(w))[0], 'b has not begun').to.deep.equal({ ...late, final: false });

    await b.start(noStart, ofB!);
    await b.handle([at(1, 15)], ofB!);
    await b.flush({ sequenceNumber: '1', subSequenceNumber: 0 }, ofB!);
    const heir = create([w], shards);
    await heir.start({ ...noStart, state }, ofA!);
    await heir.idle?.(0, ofA!);
    expect(brief(await rows(w))[0]).to.deep.equal({ ...late, final: true });
    const range = { definition: w.name, sizeMs: w.sizeMs, fromMs: 1_000 * day, toMs: 1_001 * day };
    expect(await windows.marks(range)).to.deep.equal([]);
  });
});
