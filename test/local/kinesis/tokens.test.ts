import { expect } from 'chai';
import {
  formatIterator,
  formatPageToken,
  parseIterator,
  parsePageToken,
} from '../../../local/kinesis/tokens.ts';

const iterator = { stream: 's', createdAtMs: 1, shardIndex: 2, position: 3, issuedAtMs: 4 };
const page = { stream: 's', createdAtMs: 1, after: 'x', issuedAtMs: 4, filter: { Type: 'AT_LATEST' } };

describe('tokens', () => {
  it('give back what they were made of', () => {
    expect(parseIterator(formatIterator(iterator))).to.deep.equal(iterator);
    expect(parsePageToken(formatPageToken(page))).to.deep.equal(page);
  });

  it('are refused when a character is changed, and when they are of the other kind', () => {
    const token = formatIterator(iterator);
    for (let i = 0; i < token.length - 2; i += 1) {
      const changed = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1);
      expect(parseIterator(changed), changed).to.equal(undefined);
    }
    expect(parseIterator(formatPageToken(page))).to.equal(undefined);
    expect(parsePageToken(token)).to.equal(undefined);
    expect(parseIterator('')).to.equal(undefined);
  });

  it('of the longest stream name fit into the 512 characters of an iterator', () => {
    const longest = {
      stream: 's'.repeat(128),
      createdAtMs: 9_999_999_999_999,
      shardIndex: 999_999,
      position: Number.MAX_SAFE_INTEGER,
      issuedAtMs: 9_999_999_999_999,
    };
    expect(formatIterator(longest)).to.have.length.of.at.most(512);
  });
});
