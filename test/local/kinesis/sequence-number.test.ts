import { expect } from 'chai';
import fc from 'fast-check';
import {
  formatSequenceNumber,
  parseSequenceNumber,
  shardIdOf,
  shardIndexOf,
} from '../../../local/kinesis/storage/sequence-number.ts';

const parts = fc.record({
  createdAtMs: fc.integer({ min: 1, max: 4_000_000_000_000 }),
  counter: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  shardIndex: fc.integer({ min: 0, max: 999_999 }),
});
const arrival = fc.integer({ min: 0, max: 4_000_000_000_000 });

describe('sequence numbers', () => {
  it('have 56 decimal digits and begin with 49, as the service has them', () => {
    fc.assert(fc.property(parts, arrival, (of, ms) => /^49\d{54}$/.test(formatSequenceNumber(of, ms))));
  });

  it('give back what they were made of', () => {
    fc.assert(
      fc.property(parts, arrival, (of, ms) => {
        expect(parseSequenceNumber(formatSequenceNumber(of, ms))).to.deep.equal(of);
      }),
    );
  });

  it('rise with the counter, whatever the shard and the arrival time', () => {
    fc.assert(
      fc.property(parts, parts, arrival, arrival, (a, b, msA, msB) => {
        fc.pre(a.counter < b.counter);
        const before = formatSequenceNumber(a, msA);
        const after = formatSequenceNumber({ ...b, createdAtMs: a.createdAtMs }, msB);
        expect(before < after).to.equal(true);
        expect(BigInt(before) < BigInt(after)).to.equal(true);
      }),
    );
  });

  it('are not read from other texts', () => {
    for (const text of ['', '0', '49', '5'.repeat(56), `49${'0'.repeat(53)}`, `49${'x'.repeat(54)}`]) {
      expect(parseSequenceNumber(text), text).to.equal(undefined);
    }
  });
});

describe('shard ids', () => {
  it('are the index with twelve digits, and read back', () => {
    expect(shardIdOf(42)).to.equal('shardId-000000000042');
    expect(shardIndexOf('shardId-000000000042')).to.equal(42);
    expect(shardIndexOf('shardId-42')).to.equal(undefined);
  });
});
