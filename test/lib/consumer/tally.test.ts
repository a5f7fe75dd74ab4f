import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { addTallies, TallyBook } from '../../../lib/consumer/tally.ts';

/** The definition, word for word. */
function digestOf(ids: readonly string[]): string {
  const sum = ids.reduce((total, id) => {
    const digest = createHash('sha256').update(id).digest('hex').slice(0, 32);
    return (total + BigInt(`0x${digest}`)) % (1n << 128n);
  }, 0n);
  return sum.toString(16).padStart(32, '0');
}

function bookOf(ids: readonly string[]): TallyBook {
  const book = new TallyBook();
  for (const id of ids) book.add('done', id);
  return book;
}

describe('a tally', () => {
  it('is the count and the sum mod 2^128 of the first 16 bytes of SHA-256 of the ids', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 50 }), (ids) => {
        expect(bookOf(ids).save()).to.deep.equal({ done: { count: ids.length, digest: digestOf(ids) } });
      }),
    );
  });

  it('carries from word to word, also past 2^128', () => {
    const full = { done: { count: 1, digest: 'f'.repeat(32) } };
    const one = { done: { count: 1, digest: `${'0'.repeat(31)}1` } };
    expect(addTallies(full, one)).to.deep.equal({ done: { count: 2, digest: '0'.repeat(32) } });
  });

  it('does not depend on order, and parts add up to the whole', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 2 }), fc.nat(), (ids, cut) => {
        const at = 1 + (cut % (ids.length - 1));
        const whole = bookOf(ids.toReversed()).save();
        expect(addTallies(bookOf(ids.slice(0, at)).save(), bookOf(ids.slice(at)).save())).to.deep.equal(
          whole,
        );
        const loaded = TallyBook.load(bookOf(ids.slice(0, at)).save());
        loaded.absorb(bookOf(ids.slice(at)));
        expect(loaded.save()).to.deep.equal(whole);
      }),
    );
  });
});
