import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  HASH_KEYS,
  hexOfHashKey,
  hexOfPartitionKey,
  parseHashKey,
  shardOfHashKey,
  uniformRanges,
} from '../../../local/kinesis/storage/hash-keys.ts';

describe('hash keys', () => {
  it('of a partition key are its MD5 over UTF-8', () => {
    expect(BigInt(`0x${hexOfPartitionKey('Grüße')}`)).to.equal(
      BigInt(`0x${createHash('md5').update('Grüße', 'utf8').digest('hex')}`),
    );
  });

  it('are read from decimals in 0 … 2^128 − 1 only', () => {
    expect(parseHashKey('0')).to.equal(0n);
    expect(parseHashKey((HASH_KEYS - 1n).toString())).to.equal(HASH_KEYS - 1n);
    for (const text of [HASH_KEYS.toString(), '-1', '01', '', 'x', '9'.repeat(40)]) {
      expect(parseHashKey(text), text).to.equal(undefined);
    }
  });

  it('are shared out in ranges that touch, cover everything and differ by one key at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (count) => {
        const ranges = uniformRanges(count);
        expect(ranges[0]?.start).to.equal(0n);
        expect(ranges.at(-1)?.end).to.equal(HASH_KEYS - 1n);
        for (const [i, range] of ranges.entries()) {
          const size = range.end - range.start + 1n;
          expect(size >= HASH_KEYS / BigInt(count) && size <= HASH_KEYS / BigInt(count) + 1n).to.equal(true);
          if (i > 0) expect(range.start).to.equal((ranges[i - 1]?.end ?? 0n) + 1n);
        }
      }),
    );
  });

  it('cut three shards where the service cuts them', () => {
    expect(uniformRanges(3).map((range) => range.start.toString())).to.deep.equal([
      '0',
      '113427455640312821154458202477256070485',
      '226854911280625642308916404954512140970',
    ]);
  });

  it('lead to the one shard whose range holds them', () => {
    const key = fc.bigInt({ min: 0n, max: HASH_KEYS - 1n });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), key, (count, wanted) => {
        const ranges = uniformRanges(count);
        const ring = ranges.map((range, shardIndex) => ({ shardIndex, endHex: hexOfHashKey(range.end) }));
        const found = ranges[shardOfHashKey(ring, hexOfHashKey(wanted))];
        expect(found && found.start <= wanted && wanted <= found.end).to.equal(true);
      }),
    );
  });
});
