import { expect } from 'chai';
import { maxHashKey } from '../../lib/streams/hash-key.ts';
import { holesIn } from './hash-holes.ts';

const range = (start: bigint, end: bigint) => ({
  startingHashKey: String(start),
  endingHashKey: String(end),
});

describe('holes in hash ranges', () => {
  it('are none where the ranges cover every key, in whatever order and however they overlap', () => {
    expect(holesIn([range(50n, maxHashKey), range(0n, 60n)])).to.deep.equal([]);
  });

  it('are found at the beginning, between ranges and at the end', () => {
    expect(holesIn([range(20n, 29n), range(10n, 15n)])).to.deep.equal([
      { start: 0n, end: 9n },
      { start: 16n, end: 19n },
      { start: 30n, end: maxHashKey },
    ]);
  });

  it('are everything where there is no range', () => {
    expect(holesIn([])).to.deep.equal([{ start: 0n, end: maxHashKey }]);
  });
});
