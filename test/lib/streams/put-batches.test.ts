import { expect } from 'chai';
import fc from 'fast-check';
import { type BatchLimits, entryBytes, nextBatch } from '../../../lib/streams/put-batches.ts';

const limits: BatchLimits = { batchRecords: 4, batchBytes: 100 };

interface Item {
  readonly key: string;
  readonly notBeforeMs: number;
  readonly bytes: number;
}

const item = (key: string, bytes = 10, notBeforeMs = 0): Item => ({ key, bytes, notBeforeMs });
const batch = (queue: readonly Item[], overrides: Partial<BatchLimits> = {}, nowMs = 0) =>
  nextBatch(queue, nowMs, { ...limits, ...overrides }, ({ bytes }) => bytes);
const keys = (items: readonly Item[]): string => items.map(({ key }) => key).join('');

describe('put batches', () => {
  it('counts data and the bytes of the partition key', () => {
    expect(entryBytes({ partitionKey: 'é', data: new Uint8Array(3) })).to.equal(5);
  });

  const cases: readonly [
    rule: string,
    queue: readonly Item[],
    overrides: Partial<BatchLimits>,
    taken: string,
  ][] = [
    ['stops at the number of records', [item('a'), item('b'), item('c'), item('d'), item('e')], {}, 'abcd'],
    ['stops before the bytes are exceeded', [item('a', 60), item('b', 40), item('c', 1)], {}, 'ab'],
    ['lets a record larger than a call go alone', [item('a', 500), item('b', 1)], {}, 'a'],
    ['does not look past a record that does not fit', [item('a', 60), item('b', 60), item('c', 1)], {}, 'a'],
    ['takes a key as often as it comes', [item('a'), item('a'), item('b'), item('a')], {}, 'aaba'],
    [
      'leaves out a key that waits for a retry',
      [item('a', 1, 50), item('b'), item('a'), item('c')],
      {},
      'bc',
    ],
  ];
  for (const [rule, queue, overrides, taken] of cases) {
    it(rule, () => expect(keys(batch(queue, overrides).taken)).to.equal(taken));
  }

  it('says when the first of the waiting records is due', () => {
    expect(batch([item('a', 1, 70), item('b', 1, 50)])).to.deep.equal({ taken: [], dueAtMs: 50 });
  });

  it('takes a record in the moment in which it is due', () => {
    expect(keys(batch([item('a', 1, 50)], {}, 50).taken)).to.equal('a');
  });

  it('sends every record in order, never more than a call takes', () => {
    const items = fc.array(
      fc.record({ key: fc.constantFrom('a', 'b', 'c'), bytes: fc.integer({ min: 1, max: 120 }) }),
    );
    fc.assert(
      fc.property(items, (given) => {
        let queue = given.map((entry, index) => ({ ...entry, index, notBeforeMs: 0 }));
        const sent: typeof queue = [];
        while (queue.length > 0) {
          const { taken } = nextBatch(queue, 0, limits, ({ bytes }) => bytes);
          expect(taken.length).to.be.within(1, 4);
          expect(taken.length === 1 || taken.reduce((sum, { bytes }) => sum + bytes, 0) <= 100).to.equal(
            true,
          );
          sent.push(...taken);
          queue = queue.filter((entry) => !taken.includes(entry));
        }
        expect(sent.map(({ index }) => index)).to.deep.equal(given.map((_, index) => index));
      }),
    );
  });
});
