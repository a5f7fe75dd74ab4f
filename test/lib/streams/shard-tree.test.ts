import { expect } from 'chai';
import { hashKeyOf, inRange, maxHashKey } from '../../../lib/streams/hash-key.ts';
import type { Shard } from '../../../lib/streams/kinesis.ts';
import {
  ancestorsOf,
  childrenOf,
  holesIn,
  openShards,
  parentsFirst,
} from '../../../lib/streams/shard-tree.ts';

function shard(
  shardId: string,
  parents: readonly string[],
  range: readonly [bigint, bigint],
  open = true,
): Shard {
  return {
    shardId,
    parents,
    startingHashKey: range[0].toString(),
    endingHashKey: range[1].toString(),
    startingSequenceNumber: '1',
    ...(!open && { endingSequenceNumber: '2' }),
  };
}

const half = 1n << 127n;
/** a split into b and c, which merged into d; d's listing order is the worst. */
const tree = [
  shard('d', ['b', 'c'], [0n, maxHashKey]),
  shard('c', ['a'], [half, maxHashKey], false),
  shard('b', ['a'], [0n, half - 1n], false),
  shard('a', ['gone'], [0n, maxHashKey], false),
];
const ids = (shards: readonly Shard[]): string => shards.map(({ shardId }) => shardId).join('');

describe('shard tree', () => {
  it('has the shards without an end as its open ones', () => expect(ids(openShards(tree))).to.equal('d'));
  it('finds children by either parent', () => {
    expect([
      ids(childrenOf(tree, 'a')),
      ids(childrenOf(tree, 'b')),
      ids(childrenOf(tree, 'd')),
    ]).to.deep.equal(['cb', 'd', '']);
  });
  it('finds ancestors, each once, without those that are gone', () => {
    expect(ancestorsOf(tree, 'd')).to.deep.equal(['b', 'c', 'a']);
  });
  it('puts parents before children', () => expect(ids(parentsFirst(tree))).to.equal('abcd'));

  const coverage: readonly [
    what: string,
    ranges: readonly (readonly [bigint, bigint])[],
    holes: readonly (readonly [bigint, bigint])[],
  ][] = [
    [
      'none where the ranges meet',
      [
        [half, maxHashKey],
        [0n, half - 1n],
      ],
      [],
    ],
    ['one before the first range', [[5n, maxHashKey]], [[0n, 4n]]],
    [
      'one between ranges',
      [
        [0n, 4n],
        [7n, maxHashKey],
      ],
      [[5n, 6n]],
    ],
    ['one after the last range', [[0n, half]], [[half + 1n, maxHashKey]]],
    [
      'none hidden by a range inside another',
      [
        [0n, maxHashKey],
        [3n, 4n],
      ],
      [],
    ],
    ['everything where there is no shard', [], [[0n, maxHashKey]]],
  ];
  for (const [what, ranges, holes] of coverage) {
    it(`sees holes: ${what}`, () => {
      const found = holesIn(ranges.map((range, index) => shard(`${index}`, [], range)));
      expect(found.map(({ start, end }) => [start, end])).to.deep.equal(holes);
    });
  }
});

describe('hash keys', () => {
  it('are the MD5 of the partition key', () => {
    // printf abc | md5sum
    expect(hashKeyOf('abc').toString(16)).to.equal('900150983cd24fb0d6963f7d28e17f72');
  });
  it('are the explicit one where it is given', () => expect(hashKeyOf('abc', '12')).to.equal(12n));
  it('lie in a range with both of its ends', () => {
    const range = { startingHashKey: '3', endingHashKey: '5' };
    expect([2n, 3n, 5n, 6n].map((key) => inRange(key, range))).to.deep.equal([false, true, true, false]);
  });
});
