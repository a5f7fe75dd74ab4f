import type { IncomingHttpHeaders } from 'node:http';
import { receiveBody, type StoredBody, storeBody } from './body.ts';
import type { Draft, OpenedObject, StoredObject } from './bucket.ts';
import { type ChecksumAlgorithm, checksumAlgorithms, checksumMember } from './checksums.ts';
import { checkRead, checkWrite } from './conditions.ts';
import { removeFile } from './disk.ts';
import { S3Error } from './errors.ts';
import { answerHeaders, checksumHeaders, objectHeaders } from './object-headers.ts';
import { parseRange } from './range.ts';
import { type Answer, type Call, parseTarget, xmlAnswer } from './request.ts';

export async function putObject(call: Call): Promise<Answer> {
  const { bucket } = call.buckets.get(call.bucket);
  const headers = objectHeaders(call.headers);
  return withStaged(call, async (path) => {
    const body = await receiveBody(call.message, path);
    const draft = wholeDraft(call.key, body, headers);
    const object = await bucket.put(draft, (current) => checkWrite(call.headers, current));
    return { status: 200, headers: { etag: `"${object.etag}"`, ...checksumHeaders(object) } };
  });
}

function wholeDraft(key: string, body: StoredBody, headers: Pick<Draft, 'system' | 'user'>): Draft {
  return { key, body, ...headers, etag: body.md5.toString('hex'), checksum: body.checksum };
}

/** Gives `work` a path for a body, and removes what lies there if it fails. */
export async function withStaged<T>({ buckets }: Call, work: (path: string) => Promise<T>): Promise<T> {
  const path = buckets.disk.temporary();
  try {
    return await work(path);
  } catch (error) {
    await removeFile(path);
    throw error;
  }
}

export async function getObject(call: Call): Promise<Answer> {
  const opened = await call.buckets.get(call.bucket).bucket.openObject(call.key);
  try {
    checkRead(call.headers, opened.object);
    return readAnswer(call, opened);
  } catch (error) {
    await opened.body.close();
    throw error;
  }
}

function readAnswer({ headers, query }: Call, { object, body }: OpenedObject): Answer {
  const range = parseRange(headers.range, object.size);
  const common = answerHeaders(object, query, range === undefined && wantsChecksum(headers));
  const file = { handle: body, range };
  if (range === undefined)
    return { status: 200, headers: { ...common, 'content-length': `${object.size}` }, file };
  const { first, last } = range;
  const partial = {
    'content-length': `${last - first + 1}`,
    'content-range': `bytes ${first}-${last}/${object.size}`,
  };
  return { status: 206, headers: { ...common, ...partial }, file };
}

export async function headObject({ buckets, bucket, key, headers, query }: Call): Promise<Answer> {
  const object = buckets.get(bucket).bucket.get(key);
  checkRead(headers, object);
  const range = parseRange(headers.range, object.size);
  const common = answerHeaders(object, query, range === undefined && wantsChecksum(headers));
  if (range === undefined) return { status: 200, headers: { ...common, 'content-length': `${object.size}` } };
  return { status: 206, headers: { ...common, 'content-length': `${range.last - range.first + 1}` } };
}

function wantsChecksum(headers: IncomingHttpHeaders): boolean {
  return String(headers['x-amz-checksum-mode']).toUpperCase() === 'ENABLED';
}

export async function deleteObject({ buckets, bucket, key, headers }: Call): Promise<Answer> {
  const match = headers['if-match'];
  await buckets.get(bucket).bucket.remove(key, (current) => {
    if (match !== undefined) checkWrite({ 'if-match': match }, current);
  });
  return { status: 204 };
}

export async function copyObject(call: Call): Promise<Answer> {
  const target = call.buckets.get(call.bucket).bucket;
  const source = copySource(call);
  const replaces = String(call.headers['x-amz-metadata-directive'] ?? 'COPY').toUpperCase() === 'REPLACE';
  if (!replaces && source.bucket === call.bucket && source.key === call.key) {
    throw new S3Error(
      'InvalidRequest',
      {},
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const { object: original, body: bytes } = await call.buckets
    .get(source.bucket)
    .bucket.openObject(source.key);
  return withStaged(call, async (path) => {
    let body: StoredBody;
    try {
      checkRead(call.headers, original, 'x-amz-copy-source-');
      const algorithm = chosenAlgorithm(call.headers) ?? original.checksum.algorithm;
      body = await storeBody(bytes.createReadStream(), path, algorithm);
    } finally {
      await bytes.close();
    }
    const headers = replaces ? objectHeaders(call.headers) : { system: original.system, user: original.user };
    const copy = await target.put(wholeDraft(call.key, body, headers), (current) =>
      checkWrite(call.headers, current),
    );
    return xmlAnswer('CopyObjectResult', copyResult(copy));
  });
}

function copyResult(copy: StoredObject) {
  return {
    LastModified: new Date(copy.lastModifiedMs).toISOString(),
    ETag: `"${copy.etag}"`,
    ChecksumType: copy.checksum.type,
    [checksumMember(copy.checksum.algorithm)]: copy.checksum.value,
  };
}

function copySource({ headers }: Call): { readonly bucket: string; readonly key: string } {
  const source = String(headers['x-amz-copy-source']);
  const { bucket, key, query } = parseTarget(source.startsWith('/') ? source : `/${source}`);
  if (query.has('versionId')) throw new S3Error('NotImplemented', {}, 'Versions are not implemented.');
  if (bucket === '' || key === '') {
    throw new S3Error(
      'InvalidArgument',
      { ArgumentName: 'x-amz-copy-source' },
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  }
  return { bucket, key };
}

/** The algorithm a client asks for by name. @throws S3Error InvalidRequest */
export function chosenAlgorithm(headers: IncomingHttpHeaders): ChecksumAlgorithm | undefined {
  const name = headers['x-amz-checksum-algorithm'];
  if (name === undefined) return undefined;
  const found = checksumAlgorithms.find((algorithm) => algorithm === name);
  if (found === undefined)
    throw new S3Error('InvalidRequest', {}, 'Checksum algorithm provided is unsupported.');
  return found;
}
