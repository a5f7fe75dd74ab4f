import { expect } from 'chai';
import { S3Error } from '../../../local/s3/errors.ts';
import { parseRange } from '../../../local/s3/range.ts';

describe('a Range header', () => {
  for (const [header, first, last] of [
    ['bytes=0-0', 0, 0],
    ['bytes=2-4', 2, 4],
    ['bytes=7-', 7, 9],
    ['bytes=-3', 7, 9],
    ['bytes=-99', 0, 9],
    ['bytes=8-99', 8, 9],
  ] as const) {
    it(`${header} of ten bytes is ${first} to ${last}`, () => {
      expect(parseRange(header, 10)).to.deep.equal({ first, last });
    });
  }

  for (const header of [
    undefined,
    'bytes=',
    'bytes=-',
    'bytes=4-2',
    'bytes=0-1,3-4',
    'lines=0-1',
    'bytes=a-b',
  ]) {
    it(`${header} means the whole`, () => {
      expect(parseRange(header, 10)).to.equal(undefined);
    });
  }

  for (const [header, size] of [
    ['bytes=10-', 10],
    ['bytes=-0', 10],
    ['bytes=0-', 0],
    ['bytes=-1', 0],
  ] as const) {
    it(`${header} of ${size} bytes cannot be satisfied`, () => {
      expect(() => parseRange(header, size))
        .to.throw(S3Error)
        .with.property('code', 'InvalidRange');
    });
  }
});
