import { expect } from 'chai';
import fc from 'fast-check';
import { systemClock } from '../../../lib/runtime/clock.ts';
import type { WindowFilter } from '../../../lib/stores/window-list.ts';
import { inEntries, markOf } from '../../../lib/stores/window-marks.ts';
import {
  bucketName,
  bucketStartMs,
  countName,
  noneLate,
  type WindowCount,
  type WindowPart,
} from '../../../lib/stores/window-parts.ts';
import { createWindowStore, type WindowStore } from '../../../lib/stores/windows.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const sizeMs = 5 * minute;

interface Cell {
  readonly startMs: number;
  readonly group: string;
  readonly shard: string;
  readonly count: number;
  readonly late: number;
}

function groupedBy<T>(items: readonly T[], nameOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item]);
  return groups;
}

describe('the windows table', () => {
  let tables: TestTables;
  let windows: WindowStore;
  before(async () => {
    tables = await startTables(['windows']);
    windows = createWindowStore({ client: tables.client, table: 'windows', clock: systemClock });
  });
  after(() => tables.close());

  const part = (over: Partial<WindowPart>, counts: readonly Partial<WindowCount>[] = [{}]): WindowPart => ({
    definition: 'w',
    bucketMs: 0,
    sizeMs,
    latenessMs: 10 * minute,
    shard: 'city/s',
    number: 0,
    counts: new Map(
      counts.map((count) => {
        const whole = { startMs: 0, group: 'g', count: 1, late: noneLate, ...count };
        return [countName(whole), whole];
      }),
    ),
    full: false,
    lastPosition: '1',
    ...over,
  });
  const writer = { fence: 1, nowMs: 7 };

  /** As an aggregator would have written them: per shard and bucket, in parts of at most `perPart` counts. */
  async function write(definition: string, cells: readonly Cell[], perPart: number): Promise<void> {
    const buckets = groupedBy(cells, ({ startMs, shard }) =>
      bucketName({ definition, bucketMs: bucketStartMs(startMs, sizeMs), shard }),
    );
    const parts = [...buckets.values()].flatMap((bucket) => {
      const { startMs, shard } = bucket[0]!;
      const bucketMs = bucketStartMs(startMs, sizeMs);
      const numbers = Array.from({ length: Math.ceil(bucket.length / perPart) }, (_, number) => number);
      return numbers.map((number) => {
        const counts = bucket
          .slice(number * perPart, (number + 1) * perPart)
          .map((cell) => ({ ...cell, late: lateOf(cell) }));
        return part({ definition, bucketMs, shard, number, full: counts.length === perPart }, counts);
      });
    });
    const days = new Set(cells.map(({ startMs }) => new Date(startMs).toISOString().slice(0, 10)));
    await windows.addDays(definition, [...days]);
    await windows.save(parts, writer);
  }

  const lateOf = ({ startMs, group, shard, late }: Cell) => {
    const samples = Array.from({ length: Math.min(late, 10) }, (_, n) => `${shard}${startMs}${group}${n}`);
    return late === 0 ? noneLate : { count: late, by: [0, late, 0, 0, 0], samples };
  };

  const all = async (filter: WindowFilter) => {
    const rows: string[] = [];
    let cursor: string | null | undefined;
    for (let pages = 0; cursor !== null && pages < 300; pages += 1) {
      const page = await windows.list({ ...filter, ...(cursor ? { cursor } : {}) });
      rows.push(
        ...page.items.map(
          ({ start, group, count, late_count, late_by, late_samples }) =>
            `${start} ${group} ${count} ${late_count} ${late_by[1]} ${late_samples.length}`,
        ),
      );
      cursor = page.next_cursor;
    }
    return rows;
  };

  /** The same, from plain sums. */
  function expectedRows(
    cells: readonly Cell[],
    { group, fromMs = 0, toMs = 9 * day }: Partial<WindowFilter>,
  ) {
    const rows = groupedBy(cells, ({ startMs, group }) => countName({ startMs, group }));
    return [...rows.values()]
      .filter(([first]) => first!.startMs >= fromMs && first!.startMs < toMs)
      .filter(([first]) => group === undefined || first!.group === group)
      .map((of) => {
        const late = of.reduce((sum, cell) => sum + cell.late, 0);
        const samples = Math.min(10, late);
        const start = new Date(of[0]!.startMs).toISOString().replace('.000Z', 'Z');
        const count = of.reduce((sum, cell) => sum + cell.count, 0);
        return `${start} ${of[0]!.group} ${count} ${late} ${late} ${samples}`;
      });
  }

  const groups = ['a', 'a!', 'ab', 'b#c', '~', 'é'.repeat(250), ''];
  const cells = fc.uniqueArray(
    fc.record({
      // Over midnight, with several windows in a bucket, and buckets that are not neighbours.
      startMs: fc.integer({ min: 270, max: 310 }).map((n) => n * sizeMs),
      group: fc.constantFrom(...groups),
      shard: fc.constantFrom('city/s', 'city/t', 'user/s'),
      count: fc.integer({ min: 0, max: 5 }),
      late: fc.integer({ min: 0, max: 12 }),
    }),
    {
      selector: (cell) => `${cell.startMs}|${cell.group}|${cell.shard}`,
      minLength: 1,
      maxLength: 60,
      size: 'max',
    },
  );
  const filters = fc.record(
    {
      group: fc.constantFrom(...groups),
      fromMs: fc.integer({ min: 270, max: 300 }).map((n) => n * sizeMs + 1),
      toMs: fc.integer({ min: 280, max: 310 }).map((n) => n * sizeMs),
      order: fc.constantFrom('asc' as const, 'desc' as const),
      limit: fc.constantFrom(1, 3, 1_000),
    },
    { requiredKeys: [] },
  );
  let names = 0;

  it('law: every list, however it is paged, filtered and ordered, has the sums of all shards, in order', async function () {
    this.timeout(30_000);
    await fc.assert(
      fc.asyncProperty(cells, filters, fc.integer({ min: 1, max: 4 }), async (sample, filter, perPart) => {
        const definition = `law-${(names += 1)}`;
        await write(definition, sample, perPart);
        const rows = await all({ definition, ...filter });
        expect(rows).to.have.members(expectedRows(sample, filter));
        const starts = rows.map((row) => row.slice(0, 20));
        const sorted = filter.order === 'asc' ? starts.toSorted() : starts.toSorted().toReversed();
        expect(starts).to.deep.equal(sorted);
        const other = filter.order === 'asc' ? ('desc' as const) : ('asc' as const);
        expect((await all({ definition, ...filter, order: other })).toReversed()).to.deep.equal(rows);
      }),
      { numRuns: 25 },
    );
  });

  it('gives back each bucket with all of its parts, and nothing for one that it does not have', async () => {
    const parts = [0, 1, 2].map((number) => part({ definition: 'l', number, full: number < 2 }));
    const alone = part({ definition: 'l', bucketMs: hour });
    const none = part({ definition: 'l', bucketMs: 2 * hour });
    await windows.save([...parts, alone], writer);
    const found = await windows.load([parts[0]!, alone, none]);
    expect([...found]).to.deep.equal([
      [bucketName(parts[0]!), parts],
      [bucketName(alone), [alone]],
      [bucketName(none), []],
    ]);
  });

  it('replaces a part by a newer position only, and never under an older fence', async () => {
    const first = part({ definition: 'f', lastPosition: '5' });
    const older = part({ definition: 'f', lastPosition: '4' }, [{ count: 4 }]);
    for (const stored of [first, first, older]) await windows.save([stored], { fence: 2, nowMs: 1 });
    const failed = await windows.save([{ ...first, lastPosition: '6' }], { fence: 1, nowMs: 1 }).then(
      () => 'written',
      (error: { code?: string }) => error.code,
    );
    expect(failed).to.equal('fenced-out');
    expect((await windows.load([first])).get(bucketName(first))).to.deep.equal([first]);
  });

  it('writes an entry of marks once', async () => {
    const marks = [markOf(0, 1, new Map([['constructor', 2]])), markOf(sizeMs, 1, new Map([['g', 1]]))];
    const entry = { definition: 'r', bucketMs: 0, number: 1, marks };
    expect(await windows.addMarks(entry, 1)).to.equal(true);
    expect(await windows.addMarks({ ...entry, marks: [] }, 2)).to.equal(false);
    const range = { definition: 'r', sizeMs, fromMs: sizeMs, toMs: 2 * sizeMs };
    expect(await windows.marks(range)).to.deep.equal([entry]);
  });

  it('keeps the digest of a window that has more groups than an item holds', async () => {
    const many = new Map(Array.from({ length: 20_000 }, (_, n) => [crypto.randomUUID(), n + 1]));
    const marks = [markOf(0, 1, new Map([['g', 1]])), markOf(sizeMs, 1, many)];
    const entries = inEntries([...marks, ...marks]);
    expect(entries.map((entry) => entry.length)).to.deep.equal([1, 1, 1, 1]);
    await windows.addMarks({ definition: 'h', bucketMs: 0, number: 1, marks: entries[1]! }, 1);
    const [entry] = await windows.marks({ definition: 'h', sizeMs, fromMs: 0, toMs: sizeMs });
    expect(entry?.marks).to.deep.equal([{ ...marks[1], groups: undefined }]);
  });

  describe('a window', () => {
    const row = async (definition: string) => (await windows.list({ definition })).items[0];

    it('is final while its counts are those of the newest mark', async () => {
      await windows.addDays('n', ['1970-01-01']);
      await windows.save([part({ definition: 'n' }, [{ count: 2 }])], writer);
      expect(await row('n')).to.deep.include({ final: false, revision: 1, watermark: null });
      const marks = [markOf(0, 1, new Map([['g', 2]]))];
      await windows.addMarks({ definition: 'n', bucketMs: 0, number: 1, marks }, 1);
      await windows.saveWatermark(
        { shard: 'city/s', maxTimeMs: 20 * minute, ended: false, updatedAtMs: 1 },
        1,
      );
      expect(await row('n')).to.deep.include({
        final: true,
        revision: 1,
        watermark: '1970-01-01T00:10:00.000Z',
      });
      await windows.save([part({ definition: 'n', lastPosition: '2' }, [{ count: 3 }])], writer);
      expect(await row('n')).to.deep.include({ final: false, revision: 2, count: 3 });
    });

    it('with late events only is final, without a mark, once every shard has passed it', async () => {
      const late = { count: 1, by: [1, 0, 0, 0, 0], samples: ['x'] };
      await windows.addDays('z', ['1970-01-01']);
      await windows.save([part({ definition: 'z' }, [{ count: 0, late }])], writer);
      expect(await row('z')).to.deep.include({ final: false, revision: 0 });
      await windows.savePassed(15 * minute - 1);
      expect(await row('z')).to.deep.include({ final: false, revision: 0 });
      await windows.savePassed(15 * minute);
      await windows.savePassed(0);
      expect(await row('z'), 'what was passed stays passed').to.deep.include({ final: true, revision: 0 });
      const other = { group: 'h', count: 1 };
      await windows.save([part({ definition: 'z', lastPosition: '2' }, [{ count: 0, late }, other])], writer);
      const { items } = await windows.list({ definition: 'z' });
      expect(items.map(({ group, final, revision }) => [group, final, revision])).to.deep.equal([
        ['h', false, 1],
        ['g', false, 1],
      ]);
    });

    it('is passed in the end when all shards have ended', async () => {
      await windows.savePassed(Number.POSITIVE_INFINITY);
      expect((await windows.watermarks()).passedMs).to.equal(Date.parse('9999-12-31T23:59:59.999Z'));
    });
  });
});
