import { isAbsolute, join, normalize } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { compareKeys, foldersAbove, plainPath } from '../../../local/s3/keys.ts';
import { Places } from '../../../local/s3/places.ts';

/** Keys from the pieces that make trouble. */
const trouble = fc.constantFrom(
  'a',
  'A',
  'b',
  '/',
  '.',
  '..',
  '%',
  '%2E',
  'é',
  'e\u0301',
  '💥',
  '\\',
  ':',
  ' ',
  '\n',
);
const key = fc.array(trouble, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''));

describe('keys as paths', () => {
  for (const [given, path] of [
    ['event_type=weather/2026/a.json.gz', 'event_type=weather/2026/a.json.gz'],
    ['../../etc/passwd', '%2E%2E/%2E%2E/etc/passwd'],
    ['a//b', 'a/%/b'],
    ['a/', 'a/%'],
    ['./a', '%2E/a'],
    ['100%', '100%25'],
    ['C:\\x', 'C%3A%5Cx'],
    ['dot.', 'dot%2E'],
    ['ünï', 'ünï'],
  ] as const) {
    it(`lays ${given} at ${path}`, () => {
      expect(plainPath(given)).to.equal(path);
    });
  }

  it('never leaves the folder of the bucket', () => {
    fc.assert(
      fc.property(key, (any) => {
        const path = plainPath(any) ?? '';
        expect(isAbsolute(path)).to.equal(false);
        expect(normalize(join('/bucket', path))).to.equal(`/bucket/${path}`);
      }),
    );
  });

  it('has no path for a segment that is too long for a file system', () => {
    expect(plainPath('a'.repeat(255))).to.equal('a'.repeat(255));
    expect(plainPath('a'.repeat(256))).to.equal(undefined);
    expect(plainPath('é'.repeat(128))).to.equal(undefined);
  });

  it('gives no two keys one path, and lets no file be the folder of another, on any file system', () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 12 }), (keys) => {
        const places = new Places();
        const paths = keys.map((any) => places.claim(any).normalize('NFC').toLowerCase().normalize('NFC'));
        expect(new Set(paths).size).to.equal(keys.length);
        const folders = new Set(paths.flatMap(foldersAbove));
        expect(paths.filter((path) => folders.has(path))).to.deep.equal([]);
      }),
    );
  });

  it('gives a path back when its object is gone, and tells which folders are then empty', () => {
    const places = new Places();
    places.claim('a/b/c');
    places.claim('a/d');
    expect(places.claim('a')).to.match(/^%odd-keys\//);
    expect(places.release('a/b/c')).to.deep.equal(['a/b']);
    expect(places.release('a/d')).to.deep.equal(['a']);
    expect(places.claim('a')).to.equal('a');
  });

  it('orders keys as their UTF-8 bytes are ordered', () => {
    const any = fc.string({ unit: fc.constantFrom('a', 'z', 'é', '\ud7ff', '\ue000', '\uffff', '💥', '𐀀') });
    fc.assert(
      fc.property(any, any, (left, right) => {
        const bytes = Buffer.compare(Buffer.from(left), Buffer.from(right));
        expect(Math.sign(compareKeys(left, right))).to.equal(bytes);
      }),
    );
  });
});
