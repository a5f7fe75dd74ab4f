import { expect } from 'chai';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { arrivalSkewMs, createDedupeStore, type DedupeStore, hashId } from '../../../lib/stores/dedupe.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';

const hourMs = 3_600_000;
const at = (sequence: number | string, subSequenceNumber = 0) => ({
  sequenceNumber: String(sequence),
  subSequenceNumber,
});

describe('the dedupe table', () => {
  let tables: TestTables;
  let dedupe: DedupeStore;
  before(async () => {
    tables = await startTables(['dedupe']);
    dedupe = createDedupeStore({ client: tables.client, table: 'dedupe', clock: systemClock });
  });
  after(() => tables.close());

  const ids = (arrivedAtMs: number, ...names: readonly string[]) =>
    names.map((name) => ({ hash: hashId(name), arrivedAtMs }));

  it('loads the chunks up to a position, in order, whatever the number of digits', async () => {
    await dedupe.write({ shard: 'a', upTo: at(9), ids: ids(1, 'x', 'y') });
    await dedupe.write({ shard: 'a', upTo: at(10), ids: ids(2, 'z') });
    await dedupe.write({ shard: 'a', upTo: at(10, 3), ids: ids(3, 'w') });
    await dedupe.write({ shard: 'b', upTo: at(1), ids: ids(1, 'other') });
    const load = (upTo?: ReturnType<typeof at>) =>
      dedupe.load('a', { ...(upTo ? { upTo } : {}), horizonMs: hourMs });
    expect(await load(at(8))).to.deep.equal([]);
    expect(await load(at(9))).to.deep.equal(ids(1, 'x', 'y'));
    expect(await load(at(10))).to.deep.equal([...ids(1, 'x', 'y'), ...ids(2, 'z')]);
    expect(await load()).to.have.length(4);
  });

  it('leaves out chunks that are over the horizon, seen from the newest', async () => {
    const newest = 10 * hourMs;
    await dedupe.write({ shard: 'c', upTo: at(1), ids: ids(newest - hourMs - arrivalSkewMs - 1, 'gone') });
    await dedupe.write({ shard: 'c', upTo: at(2), ids: ids(newest - hourMs - arrivalSkewMs, 'kept') });
    await dedupe.write({ shard: 'c', upTo: at(3), ids: ids(newest, 'new') });
    const loaded = await dedupe.load('c', { horizonMs: hourMs });
    expect(loaded.map(({ hash }) => hash)).to.deep.equal([hashId('kept'), hashId('new')]);
  });

  it('splits what no item can hold, by number and by span of arrival', async () => {
    const many = Array.from({ length: 20_000 }, (_, n) => ({ hash: hashId(`id-${n}`), arrivedAtMs: n }));
    const late = { hash: hashId('late'), arrivedAtMs: 2 ** 33 };
    await dedupe.write({ shard: 'd', upTo: at(1), ids: [...many, late] });
    const loaded = await dedupe.load('d', { horizonMs: 2 ** 34 });
    expect(loaded).to.deep.equal([...many, late]);
  });
});
