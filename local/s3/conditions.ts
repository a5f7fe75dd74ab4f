import type { IncomingHttpHeaders } from 'node:http';
import { S3Error } from './errors.ts';

/** What conditions look at; undefined where there is no object. */
export interface Version {
  /** Without quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
}

/**
 * Conditions of a write, checked at the moment it takes effect.
 * @throws S3Error PreconditionFailed, NoSuchKey (If-Match on nothing), NotImplemented (If-None-Match other than *)
 */
export function checkWrite(headers: IncomingHttpHeaders, current: Version | undefined): void {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined && noneMatch !== '*') {
    throw new S3Error('NotImplemented', { Header: 'If-None-Match' });
  }
  if (noneMatch === '*' && current !== undefined) throw failed('If-None-Match');
  const match = headers['if-match'];
  if (match === undefined) return;
  if (current === undefined) throw new S3Error('NoSuchKey');
  if (!matches(match, current)) throw failed('If-Match');
}

/**
 * Conditions of a read, in the order of RFC 9110, 13.2.2. `prefix` is `x-amz-copy-source-` for those of a copy,
 * which know no 304.
 * @throws S3Error PreconditionFailed, NotModified
 */
export function checkRead(headers: IncomingHttpHeaders, version: Version, prefix = ''): void {
  const header = (name: string): string | undefined => headers[`${prefix}${name}`] as string | undefined;
  const match = header('if-match');
  if (match !== undefined) {
    if (!matches(match, version)) throw failed('If-Match');
  } else if (isModifiedSince(header('if-unmodified-since'), version) === true) {
    throw failed('If-Unmodified-Since');
  }
  const noneMatch = header('if-none-match');
  const unchanged =
    noneMatch === undefined
      ? isModifiedSince(header('if-modified-since'), version) === false
      : matches(noneMatch, version);
  if (!unchanged) return;
  throw prefix === '' ? new S3Error('NotModified') : failed('If-None-Match');
}

function matches(header: string, version: Version): boolean {
  const tags = header.split(',').map((tag) => tag.trim().replace(/^(?:W\/)?"?|"$/g, ''));
  return tags.includes('*') || tags.includes(version.etag);
}

/** Undefined when there is no such header or it is no date: then it does not count. HTTP dates have whole seconds. */
function isModifiedSince(header: string | undefined, version: Version): boolean | undefined {
  const sinceMs = header === undefined ? Number.NaN : Date.parse(header);
  if (Number.isNaN(sinceMs)) return undefined;
  return Math.floor(version.lastModifiedMs / 1_000) * 1_000 > sinceMs;
}

function failed(Condition: string): S3Error {
  return new S3Error('PreconditionFailed', { Condition });
}
