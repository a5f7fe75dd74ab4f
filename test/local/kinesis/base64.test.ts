import { expect } from 'chai';
import fc from 'fast-check';
import { bytesOfBase64 } from '../../../local/kinesis/validation/base64.ts';

describe('base64', () => {
  it('tells the bytes of everything that was encoded, also of what is larger than the scratch buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(bytesOfBase64(Buffer.from(bytes).toString('base64'))).to.equal(bytes.length);
      }),
    );
    for (const length of [65_535, 65_536, 65_537, 200_000]) {
      expect(bytesOfBase64(Buffer.alloc(length, 7).toString('base64'))).to.equal(length);
    }
  });

  it('refuses what the pattern of base64 refuses, whatever character stands wherever', () => {
    const pattern = /^[A-Za-z0-9+/]*={0,2}$/;
    const character = fc.oneof(
      fc.constantFrom('A', 'z', '0', '+', '/', '=', '-', '_', '"', '\\', '\n', ' ', 'é', '漢', '\u0000'),
      fc.string({ minLength: 1, maxLength: 1 }),
    );
    const text = fc.array(character, { maxLength: 24 }).map((characters) => characters.join(''));
    fc.assert(
      fc.property(text, (given) => {
        const valid = given.length % 4 === 0 && pattern.test(given);
        expect(bytesOfBase64(given) !== undefined, JSON.stringify(given)).to.equal(valid);
      }),
      { numRuns: 5_000 },
    );
  });

  it('refuses one foreign character anywhere in a long text', () => {
    const good = Buffer.alloc(300, 9).toString('base64');
    for (let at = 0; at < good.length; at += 1) {
      for (const foreign of ['"', '\\', '=', '-', 'é']) {
        expect(
          bytesOfBase64(good.slice(0, at) + foreign + good.slice(at + 1)),
          `${foreign} at ${at}`,
        ).to.equal(at === good.length - 1 && foreign === '=' ? 299 : undefined);
      }
    }
  });
});
