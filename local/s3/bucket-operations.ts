import { readText } from './body.ts';
import type { Bucket, StoredObject } from './bucket.ts';
import { S3Error } from './errors.ts';
import { decodeToken, encodeToken, listPage, type Marker } from './listing.ts';
import { type Answer, type Call, queryNumber, xmlAnswer } from './request.ts';
import { type Content, parseXml } from './xml.ts';

/** Keys in one page or one DeleteObjects (Amazon S3 API reference). */
const keysMax = 1_000;
/** 1,000 keys of 1,024 bytes, each byte possibly written as `&#xNN;`. */
const deleteBytesMax = 8 * 1024 ** 2;
/** A CreateBucketConfiguration is a line or two. */
const createBytesMax = 64 * 1024;

/** The region that has no location constraint and, for history, lets an owner create a bucket again. */
const firstRegion = 'us-east-1';

export async function listBuckets({ buckets }: Call): Promise<Answer> {
  const Bucket = buckets
    .list()
    .map((bucket) => ({ Name: bucket.name, CreationDate: new Date(bucket.createdMs).toISOString() }));
  return xmlAnswer('ListAllMyBucketsResult', { Owner: { ID: 'local' }, Buckets: { Bucket } });
}

export async function createBucket({ buckets, bucket, message, region }: Call): Promise<Answer> {
  const body = message.headers['content-length'] === undefined ? '' : await readText(message, createBytesMax);
  const configuration = body === '' ? undefined : parseXml(body, 'CreateBucketConfiguration');
  if ((configuration?.child('LocationConstraint') ?? firstRegion) !== region) {
    throw new S3Error('IllegalLocationConstraintException');
  }
  if (buckets.has(bucket) && region !== firstRegion) {
    throw new S3Error('BucketAlreadyOwnedByYou', { BucketName: bucket });
  }
  await buckets.create(bucket);
  return { status: 200, headers: { location: `/${bucket}` } };
}

export async function headBucket({ buckets, bucket, region }: Call): Promise<Answer> {
  buckets.get(bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': region } };
}

export async function deleteBucket({ buckets, bucket }: Call): Promise<Answer> {
  await buckets.remove(bucket);
  return { status: 204 };
}

export async function getBucketLocation({ buckets, bucket, region }: Call): Promise<Answer> {
  buckets.get(bucket);
  return xmlAnswer('LocationConstraint', region === firstRegion ? '' : region);
}

export async function listObjects(call: Call): Promise<Answer> {
  const { query } = call;
  const { bucket } = call.buckets.get(call.bucket);
  if (query.get('list-type') !== '2') {
    throw new S3Error('NotImplemented', {}, 'Only ListObjectsV2 (list-type=2) is implemented.');
  }
  const maxKeys = queryNumber(query, 'max-keys', keysMax);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const page = listPage(bucket.keys, { prefix, delimiter, marker: marker(query), maxKeys });
  const encode = encoder(query);
  return xmlAnswer('ListBucketResult', {
    Name: bucket.name,
    Prefix: encode(prefix),
    Delimiter: delimiter === '' ? undefined : encode(delimiter),
    StartAfter: query.has('start-after') ? encode(query.get('start-after') ?? '') : undefined,
    ContinuationToken: query.get('continuation-token') ?? undefined,
    NextContinuationToken: page.next && encodeToken(page.next),
    EncodingType: query.get('encoding-type') ?? undefined,
    KeyCount: page.keys.length + page.commonPrefixes.length,
    MaxKeys: maxKeys,
    IsTruncated: page.next !== undefined,
    Contents: page.keys.map((key) => listed(bucket, key, encode)),
    CommonPrefixes: page.commonPrefixes.map((common) => ({ Prefix: encode(common) })),
  });
}

/** A token wins over start-after, which only the first page needs. */
function marker(query: URLSearchParams): Marker | undefined {
  const token = query.get('continuation-token');
  if (token !== null) {
    const decoded = decodeToken(token);
    if (decoded !== undefined) return decoded;
    throw new S3Error(
      'InvalidArgument',
      { ArgumentName: 'continuation-token' },
      'The continuation token provided is incorrect',
    );
  }
  const after = query.get('start-after');
  return after === null || after === '' ? undefined : { after, isPrefix: false };
}

/** With encoding-type=url names survive XML, which cannot hold every character. */
export function encoder(query: URLSearchParams): (name: string) => string {
  const type = query.get('encoding-type');
  if (type === null) return (name) => name;
  if (type !== 'url') {
    throw new S3Error(
      'InvalidArgument',
      { ArgumentName: 'encoding-type' },
      'Invalid Encoding Method specified in Request',
    );
  }
  return (name) => name.split('/').map(encodeURIComponent).join('/');
}

function listed(bucket: Bucket, key: string, encode: (name: string) => string): Content {
  const object: StoredObject = bucket.get(key);
  return {
    Key: encode(key),
    LastModified: new Date(object.lastModifiedMs).toISOString(),
    ETag: `"${object.etag}"`,
    ChecksumAlgorithm: object.checksum.algorithm,
    ChecksumType: object.checksum.type,
    Size: object.size,
    StorageClass: 'STANDARD',
  };
}

export async function deleteObjects(call: Call): Promise<Answer> {
  const { bucket } = call.buckets.get(call.bucket);
  const document = parseXml(await readText(call.message, deleteBytesMax), 'Delete');
  const objects = document.children('Object');
  if (objects.length === 0 || objects.length > keysMax) throw new S3Error('MalformedXML');
  const keys = objects.map((object) => object.child('Key') ?? '');
  if (objects.some((object) => object.child('VersionId') !== undefined)) {
    throw new S3Error('NotImplemented', {}, 'Versions are not implemented.');
  }
  for (const key of keys) await bucket.remove(key, () => {});
  const isQuiet = document.child('Quiet') === 'true';
  return xmlAnswer('DeleteResult', { Deleted: isQuiet ? undefined : keys.map((Key) => ({ Key })) });
}
