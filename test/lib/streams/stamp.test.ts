import { expect } from 'chai';
import fc from 'fast-check';
import { formatStamp, parseStamp, type Stamp } from '../../../lib/streams/stamp.ts';

const stamps: fc.Arbitrary<Stamp> = fc
  .record({
    source: fc.oneof(
      fc.string({ minLength: 1, maxLength: 60 }),
      fc.constantFrom('a;5', 'a;9;3', 'a;9;3;5', ';0;0'),
    ),
    floor: fc.bigInt({ min: 0n, max: 1n << 214n }),
    above: fc.bigInt({ min: 1n, max: 1n << 100n }),
    behind: fc.option(fc.bigInt({ min: 1n, max: 1n << 100n }), { nil: undefined }),
  })
  .map(({ source, floor, above, behind }) =>
    behind === undefined
      ? { source, floor, position: floor + above }
      : { source, floor, after: floor + behind, position: floor + behind + above },
  );

describe('stamp', () => {
  it('is read back as it was written, whatever the source contains', () => {
    fc.assert(
      fc.property(stamps, (stamp) => {
        expect(parseStamp(formatStamp(stamp))).to.deep.equal(stamp);
      }),
    );
  });

  it('has one text only: what can be read is written the same again', () => {
    const parts = fc.array(fc.constantFrom('a', '0', '1', 'z', ';', '-', 'A', ' '), { maxLength: 12 });
    fc.assert(
      fc.property(parts, (letters) => {
        const text = letters.join('');
        const stamp = parseStamp(text);
        if (stamp) expect(formatStamp(stamp)).to.equal(text);
      }),
      { numRuns: 1_000 },
    );
  });

  it('tells a source that ends like a number from a third one', () => {
    expect(parseStamp('a;5;3;2')).to.deep.equal({ source: 'a;5', position: 3n, floor: 2n });
    expect(parseStamp('a;5;2;3')).to.deep.equal({ source: 'a', position: 5n, floor: 2n, after: 3n });
  });

  const refused: readonly [why: string, text: string][] = [
    ['nothing', ''],
    ['no source', ';2;1'],
    ['a part missing', 'a;2'],
    ['a leading zero', 'a;02;1'],
    ['capital digits', 'a;Z;1'],
    ['a sign', 'a;2;-1'],
    ['a floor at its position', 'a;2;2'],
    ['a record before it that is not above its floor', 'a;3;2;2'],
    ['a record before it that is not below its position', 'a;3;2;3'],
    ['position zero', 'a;0;0'],
    ['more digits than any position has', `a;1${'0'.repeat(64)};1`],
    ['a source that is too long', `${'a'.repeat(257)};2;1`],
  ];
  for (const [why, text] of refused) {
    it(`is none with ${why}`, () => expect(parseStamp(text)).to.equal(undefined));
  }
});
