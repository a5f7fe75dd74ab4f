import { expect } from 'chai';
import fc from 'fast-check';
import { TallyBook } from '../../../lib/consumer/tally.ts';
import { addDigests, digestText, idDigest } from '../../../lib/stores/id-digest.ts';

describe('the digest of event ids', () => {
  it('law: is what the tallies have, so that the archive and the ledger can be compared', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (ids) => {
        const book = new TallyBook();
        for (const id of ids) book.add('archived', id);
        const digest = ids.reduce((sum, id) => addDigests(sum, idDigest(id)), 0n);
        expect(digestText(digest)).to.equal(book.save()['archived']?.digest ?? digestText(0n));
      }),
    );
  });
});
