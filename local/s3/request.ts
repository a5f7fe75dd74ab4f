import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { FileHandle } from 'node:fs/promises';
import type { Buckets } from './buckets.ts';
import { S3Error } from './errors.ts';
import type { ByteRange } from './range.ts';
import { type Content, xmlDocument } from './xml.ts';

/** What a path-style URL names. Empty texts: the service itself, or the bucket itself. */
export interface Target {
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
}

/** A request together with what it may work on. */
export interface Call extends Target {
  readonly headers: IncomingHttpHeaders;
  readonly message: IncomingMessage;
  readonly buckets: Buckets;
  readonly region: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly xml?: string;
  /** Bytes of an object; whoever sends them closes the handle. */
  readonly file?: { readonly handle: FileHandle; readonly range: ByteRange | undefined };
}

/** Bytes of a key in UTF-8 (Amazon S3 user guide, "Naming Amazon S3 objects"). */
const keyBytesMax = 1_024;

/** @throws S3Error InvalidURI, KeyTooLongError */
export function parseTarget(url: string): Target {
  const [path = '', ...rest] = url.split('?');
  const slash = path.indexOf('/', 1);
  const bucket = decodePath(slash === -1 ? path.slice(1) : path.slice(1, slash));
  const key = slash === -1 ? '' : decodePath(path.slice(slash + 1));
  if (Buffer.byteLength(key) > keyBytesMax)
    throw new S3Error('KeyTooLongError', { MaxSizeAllowed: `${keyBytesMax}` });
  return { bucket, key, query: new URLSearchParams(rest.join('?')) };
}

/** A key may hold anything but what is no UTF-8, and NUL, which no file system takes. */
function decodePath(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch (error) {
    throw new S3Error('InvalidURI', { URI: text }, error instanceof Error ? error.message : undefined);
  }
  if (decoded.includes('\0')) throw new S3Error('InvalidURI', { URI: text });
  return decoded;
}

export function xmlAnswer(
  root: string,
  content: Content,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status: 200, headers, xml: xmlDocument(root, content) };
}

/** A whole number of the query within 0 … `max`; larger is `max`, as S3 does. @throws S3Error InvalidArgument */
export function queryNumber(query: URLSearchParams, name: string, max: number): number {
  const text = query.get(name);
  if (text === null || text === '') return max;
  if (!/^\d{1,10}$/.test(text)) {
    throw new S3Error(
      'InvalidArgument',
      { ArgumentName: name, ArgumentValue: text },
      `Provided ${name} is not valid.`,
    );
  }
  return Math.min(Number(text), max);
}
