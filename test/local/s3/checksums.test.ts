import { expect } from 'chai';
import fc from 'fast-check';
import {
  checksumAlgorithms,
  compositeChecksum,
  digestBytes,
  runningChecksum,
} from '../../../local/s3/checksums.ts';

/** The digests of "123456789" that the algorithms' descriptions give. */
const known = {
  CRC32: 'cbf43926',
  CRC32C: 'e3069283',
  CRC64NVME: 'ae8b14860a799888',
  SHA1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  SHA256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
} as const;

describe('checksums', () => {
  for (const algorithm of checksumAlgorithms) {
    it(`${algorithm} has its known value, whatever the pieces`, () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 9 }), (cut) => {
          const running = runningChecksum(algorithm);
          const bytes = Buffer.from('123456789');
          running.update(bytes.subarray(0, cut));
          running.update(bytes.subarray(cut));
          const digest = running.digest();
          expect(digest.toString('hex')).to.equal(known[algorithm]);
          expect(digest.length).to.equal(digestBytes[algorithm]);
        }),
      );
    });
  }

  it('of parts is the checksum of their checksums, with their number', () => {
    const part = Buffer.from('123456789');
    const { value, type } = compositeChecksum('CRC32', [part.toString('base64')]);
    expect(value).to.equal(`${Buffer.from(known.CRC32, 'hex').toString('base64')}-1`);
    expect(type).to.equal('COMPOSITE');
  });
});
