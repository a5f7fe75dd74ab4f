import type { IncomingHttpHeaders } from 'node:http';
import type { ObjectHeaders, StoredObject } from './bucket.ts';
import { checksumHeader } from './checksums.ts';
import { S3Error } from './errors.ts';

const systemHeaders = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
] as const;

const userPrefix = 'x-amz-meta-';
/** Names and values together (Amazon S3 user guide, "User-defined object metadata"). */
const userBytesMax = 2_048;

/** What a write says of its object. @throws S3Error MetadataTooLarge */
export function objectHeaders(headers: IncomingHttpHeaders): ObjectHeaders {
  const system: Record<string, string> = {};
  for (const name of systemHeaders) {
    const value = name === 'content-encoding' ? storedEncoding(headers[name]) : headers[name];
    if (value !== undefined && value !== '') system[name] = value;
  }
  const user: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(userPrefix)) user[name.slice(userPrefix.length)] = String(value);
  }
  const userBytes = Object.entries(user)
    .flat()
    .reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (userBytes > userBytesMax) {
    throw new S3Error('MetadataTooLarge', { Size: String(userBytes), MaxSizeAllowed: String(userBytesMax) });
  }
  return { system, user };
}

/** `aws-chunked` is how a body travels, not how the object is encoded. */
function storedEncoding(value: string | undefined): string | undefined {
  const codings = value?.split(',').map((coding) => coding.trim());
  return codings?.filter((coding) => coding !== 'aws-chunked').join(',');
}

/** What GetObject and HeadObject answer, apart from lengths and ranges. */
export function answerHeaders(
  object: StoredObject,
  query: URLSearchParams,
  withChecksum: boolean,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {
    'content-type': 'binary/octet-stream',
    ...object.system,
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.lastModifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
  };
  for (const name of systemHeaders) {
    const override = query.get(`response-${name}`);
    if (override !== null) headers[name] = override;
  }
  for (const [name, value] of Object.entries(object.user)) headers[`${userPrefix}${name}`] = value;
  return withChecksum ? { ...headers, ...checksumHeaders(object) } : headers;
}

export function checksumHeaders({
  checksum,
}: Pick<StoredObject, 'checksum'>): Readonly<Record<string, string>> {
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };
}

/** Query parameters by which a reader replaces headers of the answer. */
export const responseOverrides = systemHeaders.map((name) => `response-${name}`);
