import { expect } from 'chai';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { markOf, noneLate, type WindowPartial } from '../../../lib/stores/window-items.ts';
import type { WindowFilter } from '../../../lib/stores/window-list.ts';
import { createWindowStore, type WindowStore } from '../../../lib/stores/windows.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';

const minute = 60_000;
const day = 86_400_000;

describe('the windows table', () => {
  let tables: TestTables;
  let windows: WindowStore;
  before(async () => {
    tables = await startTables(['windows']);
    windows = createWindowStore({ client: tables.client, table: 'windows', clock: systemClock });
  });
  after(() => tables.close());

  const partial = (over: Partial<WindowPartial>): WindowPartial => ({
    definition: 'w',
    startMs: 0,
    sizeMs: 5 * minute,
    latenessMs: 10 * minute,
    group: 'g',
    shard: 'city/s',
    count: 1,
    late: noneLate,
    lastPosition: '1',
    ...over,
  });
  const writer = { fence: 1, nowMs: 7 };
  const all = async (filter: WindowFilter) => {
    const rows: string[] = [];
    let cursor: string | null | undefined;
    for (let pages = 0; cursor !== null && pages < 100; pages += 1) {
      const page = await windows.list({ ...filter, ...(cursor ? { cursor } : {}) });
      rows.push(...page.items.map(({ start, group, count }) => `${start.slice(5, 16)} ${group} ${count}`));
      cursor = page.next_cursor;
    }
    return rows;
  };

  it('merges the shards of a window, over days and pages, in both orders', async function () {
    this.timeout(10_000);
    const groups = ['a', 'a!', 'ab', 'b#c', '~', 'é'.repeat(250), ''];
    const written = groups.flatMap((group, g) =>
      [0, 5 * minute, day].flatMap((startMs) =>
        ['city/s', 'city/t', 'user/s'].map((shard) =>
          partial({ definition: 'm', startMs, group, shard, count: g + 1 }),
        ),
      ),
    );
    await windows.addDays('m', ['1970-01-01', '1970-01-02']);
    await windows.save(written, writer);
    const expected = new Set(
      ['01-01T00:00', '01-01T00:05', '01-02T00:00'].flatMap((start) =>
        groups.map((group, g) => `${start} ${group} ${(g + 1) * 3}`),
      ),
    );
    for (const limit of [2, 1_000]) {
      const ascending = await all({ definition: 'm', order: 'asc', limit });
      expect(ascending, `pages of ${limit}`).to.have.members([...expected]);
      expect(ascending.map((row) => row.slice(0, 11))).to.deep.equal(
        ascending.map((row) => row.slice(0, 11)).toSorted(),
      );
      expect(await all({ definition: 'm', limit })).to.have.members([...expected]);
    }
    expect(await all({ definition: 'm', group: 'a', order: 'asc', limit: 2 })).to.have.length(3);
    expect(await all({ definition: 'm', fromMs: 1, toMs: day })).to.have.length(groups.length);
  });

  it('replaces a partial by a newer position only, and never under an older fence', async () => {
    const first = partial({ definition: 'f', lastPosition: '5', count: 5 });
    expect(await windows.save([first], { fence: 2, nowMs: 1 })).to.deep.equal([]);
    const standing = await windows.save([{ ...first, lastPosition: '4', count: 4 }], { fence: 2, nowMs: 1 });
    expect(standing).to.deep.equal([first]);
    const failed = await windows.save([{ ...first, lastPosition: '6' }], { fence: 1, nowMs: 1 }).then(
      () => 'written',
      (error: { code?: string }) => error.code,
    );
    expect(failed).to.equal('fenced-out');
    expect(await windows.load([first])).to.deep.equal([first]);
  });

  it('writes a revision once', async () => {
    const mark = markOf({ definition: 'r', startMs: 0 }, 1, new Map([['constructor', 2]]));
    expect(await windows.addMark(mark, 1)).to.equal(true);
    expect(await windows.addMark({ ...mark, digest: 'other' }, 2)).to.equal(false);
    const range = { definition: 'r', day: '1970-01-01', fromMs: 0, toMs: 1 };
    expect(await windows.marks(range)).to.deep.equal([mark]);
  });

  it('shows a window as final while its counts are those of the newest mark', async () => {
    await windows.addDays('n', ['1970-01-01']);
    await windows.save([partial({ definition: 'n', count: 2 })], writer);
    const row = async () => (await windows.list({ definition: 'n' })).items[0];
    expect(await row()).to.deep.include({ final: false, revision: 1, watermark: null });
    await windows.addMark(markOf({ definition: 'n', startMs: 0 }, 1, new Map([['g', 2]])), 1);
    await windows.saveWatermark({ shard: 'city/s', maxTimeMs: 20 * minute, ended: false, updatedAtMs: 1 }, 1);
    expect(await row()).to.deep.include({ final: true, revision: 1, watermark: '1970-01-01T00:10:00.000Z' });
    await windows.save([partial({ definition: 'n', count: 3, lastPosition: '2' })], writer);
    expect(await row()).to.deep.include({ final: false, revision: 2, count: 3 });
  });
});
