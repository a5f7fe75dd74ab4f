import { expect } from 'chai';
import fc from 'fast-check';
import { compareKeys } from '../../../local/s3/keys.ts';
import { decodeToken, encodeToken, listPage, type Marker } from '../../../local/s3/listing.ts';

const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', '💥'), minLength: 1, maxLength: 5 });
const keys = fc.uniqueArray(key, { maxLength: 20 }).map((all) => [...all].sort(compareKeys));
const prefix = fc.constantFrom('', 'a', 'a/', 'b/', '/');
const delimiter = fc.constantFrom('', '/', 'a', '/a');

/** What a listing means, without pages: each key, or the prefix it is rolled up to, once, in order. */
function meaning(sorted: readonly string[], from: string, by: string): readonly string[] {
  const entries = sorted
    .filter((one) => one.startsWith(from))
    .map((one) => {
      const at = by === '' ? -1 : one.indexOf(by, from.length);
      return at === -1 ? `key ${one}` : `prefix ${one.slice(0, at + by.length)}`;
    });
  return [...new Set(entries)];
}

describe('a page of a listing', () => {
  it('is, with the pages after it, what the whole listing is, whatever the size of a page', () => {
    fc.assert(
      fc.property(keys, prefix, delimiter, fc.integer({ min: 1, max: 4 }), (sorted, from, by, maxKeys) => {
        const entries: string[] = [];
        let marker: Marker | undefined;
        do {
          const page = listPage(sorted, { prefix: from, delimiter: by, marker, maxKeys });
          expect(page.keys.length + page.commonPrefixes.length).to.be.at.most(maxKeys);
          entries.push(
            ...page.keys.map((one) => `key ${one}`),
            ...page.commonPrefixes.map((one) => `prefix ${one}`),
          );
          marker = page.next === undefined ? undefined : decodeToken(encodeToken(page.next));
        } while (marker !== undefined);
        expect(entries).to.have.members(meaning(sorted, from, by));
      }),
    );
  });

  it('begins behind the marker', () => {
    fc.assert(
      fc.property(keys, key, (sorted, after) => {
        const query = { prefix: '', delimiter: '', marker: { after, isPrefix: false }, maxKeys: 100 };
        const behind = sorted.filter((one) => compareKeys(one, after) > 0);
        expect(listPage(sorted, query).keys).to.deep.equal(behind);
      }),
    );
  });

  it('is empty and complete when no key is wanted', () => {
    const query = { prefix: '', delimiter: '', marker: undefined, maxKeys: 0 };
    expect(listPage(['a'], query)).to.deep.equal({ keys: [], commonPrefixes: [], next: undefined });
  });

  it('refuses tokens that are not its own', () => {
    for (const token of [
      '',
      'x',
      Buffer.from('{}').toString('base64url'),
      Buffer.from('[1,2]').toString('base64url'),
    ]) {
      expect(decodeToken(token)).to.equal(undefined);
    }
  });
});
