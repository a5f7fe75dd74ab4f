import { expect } from 'chai';
import fc from 'fast-check';
import { exactProduct, toNumber } from '../../../../lib/event/mapping/decimal.ts';

describe('exactProduct', () => {
  it('has no error where doubles have one', () => {
    expect(3 * 1.1).to.not.equal(3.3);
    expect(exactProduct(['3', '1.10'])).to.equal(3.3);
    expect(exactProduct(['-2', 4.35, '100'])).to.equal(-870);
    expect(exactProduct(['1e2', '0.015'])).to.equal(1.5);
  });

  it('is the nearest double of the true product of hundredths', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -99_999, max: 99_999 }),
        fc.integer({ min: 0, max: 9_999_999 }),
        (quantity, cents) => {
          const price = `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
          expect(exactProduct([String(quantity), price])).to.equal((quantity * cents) / 100 + 0);
        },
      ),
    );
  });

  for (const factor of [
    '',
    'x',
    '1,5',
    '0x10',
    '1.',
    '.5',
    ' 1',
    'Infinity',
    '1e999',
    '9'.repeat(50),
    true,
    null,
    {},
  ]) {
    it(`takes no ${JSON.stringify(factor)}`, () => expect(exactProduct(['2', factor])).to.equal(undefined));
  }
});

describe('toNumber', () => {
  it('takes texts that are wholly a decimal', () => {
    expect(['12', '-0.5', '+3', 7].map(toNumber)).to.deep.equal([12, -0.5, 3, 7]);
    expect(toNumber('12 kg')).to.equal(undefined);
  });
});
