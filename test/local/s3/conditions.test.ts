import type { IncomingHttpHeaders } from 'node:http';
import { expect } from 'chai';
import { checkRead, checkWrite, type Version } from '../../../local/s3/conditions.ts';

const version: Version = { etag: 'abc', lastModifiedMs: Date.parse('2026-01-01T00:00:00.900Z') };
const before = 'Wed, 31 Dec 2025 23:59:59 GMT';
const same = 'Thu, 01 Jan 2026 00:00:00 GMT';

function outcome(check: () => void): string {
  try {
    check();
    return 'goes on';
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

type Case = readonly [headers: IncomingHttpHeaders, outcome: string];

describe('conditions of a write', () => {
  const onObject: readonly Case[] = [
    [{}, 'goes on'],
    [{ 'if-none-match': '*' }, 'PreconditionFailed'],
    [{ 'if-none-match': '"abc"' }, 'NotImplemented'],
    [{ 'if-match': '"abc"' }, 'goes on'],
    [{ 'if-match': 'abc' }, 'goes on'],
    [{ 'if-match': '"other"' }, 'PreconditionFailed'],
    [{ 'if-match': '"other", "abc"' }, 'goes on'],
  ];
  const onNothing: readonly Case[] = [
    [{}, 'goes on'],
    [{ 'if-none-match': '*' }, 'goes on'],
    [{ 'if-match': '"abc"' }, 'NoSuchKey'],
  ];
  for (const [what, current, cases] of [
    ['an object', version, onObject],
    ['nothing', undefined, onNothing],
  ] as const) {
    for (const [headers, expected] of cases) {
      it(`on ${what} with ${JSON.stringify(headers)}: ${expected}`, () => {
        expect(outcome(() => checkWrite(headers, current))).to.equal(expected);
      });
    }
  }
});

describe('conditions of a read', () => {
  const cases: readonly Case[] = [
    [{ 'if-match': '*' }, 'goes on'],
    [{ 'if-match': '"other"' }, 'PreconditionFailed'],
    [{ 'if-none-match': 'W/"abc"' }, 'NotModified'],
    [{ 'if-none-match': '"other"' }, 'goes on'],
    [{ 'if-modified-since': before }, 'goes on'],
    [{ 'if-modified-since': same }, 'NotModified'],
    [{ 'if-modified-since': 'no date' }, 'goes on'],
    [{ 'if-unmodified-since': before }, 'PreconditionFailed'],
    [{ 'if-unmodified-since': same }, 'goes on'],
    [{ 'if-match': '"abc"', 'if-unmodified-since': before }, 'goes on'],
    [{ 'if-none-match': '"other"', 'if-modified-since': same }, 'goes on'],
  ];
  for (const [headers, expected] of cases) {
    it(`with ${JSON.stringify(headers)}: ${expected}`, () => {
      expect(outcome(() => checkRead(headers, version))).to.equal(expected);
    });
  }

  it('of a copy fail where a read would answer that nothing has changed', () => {
    const headers = { 'x-amz-copy-source-if-none-match': '"abc"' };
    expect(outcome(() => checkRead(headers, version, 'x-amz-copy-source-'))).to.equal('PreconditionFailed');
  });
});
