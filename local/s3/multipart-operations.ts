import { readText, receiveBody } from './body.ts';
import { encoder } from './bucket-operations.ts';
import { type Checksum, type ChecksumAlgorithm, checksumAlgorithms, checksumMember } from './checksums.ts';
import { checkWrite } from './conditions.ts';
import { removeFile } from './disk.ts';
import { S3Error } from './errors.ts';
import { compareKeys } from './keys.ts';
import { checksumHeaders, objectHeaders } from './object-headers.ts';
import { chosenAlgorithm, withStaged } from './object-operations.ts';
import { type Answer, type Call, queryNumber, xmlAnswer } from './request.ts';
import type { Part, Upload, WantedPart } from './uploads.ts';
import { type Element, parseXml } from './xml.ts';

/** Parts of an upload, and parts or uploads in one page (Amazon S3 user guide, "Multipart upload limits"). */
const partsMax = 10_000;
const pageMax = 1_000;
/** 10,000 parts of about 200 bytes of XML. */
const completeBytesMax = 4 * 1024 ** 2;

export async function createMultipartUpload(call: Call): Promise<Answer> {
  const { uploads } = call.buckets.get(call.bucket);
  const chosen = chosenAlgorithm(call.headers);
  const algorithm = chosen ?? 'CRC64NVME';
  const upload = await uploads.start({
    key: call.key,
    ...objectHeaders(call.headers),
    algorithm,
    checksumType: checksumType(call, algorithm),
    isChosen: chosen !== undefined,
  });
  const headers: Record<string, string> =
    chosen === undefined
      ? {}
      : { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': upload.checksumType };
  return xmlAnswer(
    'InitiateMultipartUploadResult',
    { Bucket: call.bucket, Key: call.key, UploadId: upload.id },
    headers,
  );
}

/** CRCs can be taken over the whole, SHAs only over parts; CRC64NVME only over the whole (user guide, "Checking object integrity"). */
function checksumType({ headers }: Call, algorithm: ChecksumAlgorithm): Checksum['type'] {
  const isCrc = algorithm.startsWith('CRC');
  const wanted = headers['x-amz-checksum-type'] ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  if (wanted === 'FULL_OBJECT' && isCrc) return wanted;
  if (wanted === 'COMPOSITE' && algorithm !== 'CRC64NVME') return wanted;
  throw new S3Error(
    'InvalidRequest',
    {},
    `The ${String(wanted)} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
  );
}

export async function uploadPart(call: Call): Promise<Answer> {
  const { id, upload, uploads } = openUpload(call);
  if (call.headers['x-amz-copy-source'] !== undefined) {
    throw new S3Error('NotImplemented', {}, 'UploadPartCopy is not implemented.');
  }
  const number = Number(call.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > partsMax) {
    throw new S3Error(
      'InvalidArgument',
      { ArgumentName: 'partNumber' },
      `Part number must be an integer between 1 and ${partsMax}, inclusive`,
    );
  }
  return withStaged(call, async (path) => {
    const body = await receiveBody(call.message, path);
    if (upload.isChosen && body.checksum.algorithm !== upload.algorithm)
      throw checksumMismatch(upload, body.checksum);
    const part = await uploads.addPart(id, call.key, number, body);
    return { status: 200, headers: { etag: `"${part.etag}"`, ...checksumHeaders(part) } };
  });
}

function checksumMismatch(upload: Upload, given: Checksum): S3Error {
  const message = `Checksum Type mismatch occurred, expected checksum Type: ${upload.algorithm.toLowerCase()}, actual checksum Type: ${given.algorithm.toLowerCase()}`;
  return new S3Error('InvalidRequest', {}, message);
}

export async function listParts(call: Call): Promise<Answer> {
  const { id, upload, uploads } = openUpload(call);
  const max = queryNumber(call.query, 'max-parts', pageMax);
  const after = call.query.has('part-number-marker')
    ? queryNumber(call.query, 'part-number-marker', partsMax)
    : 0;
  const rest = uploads.parts(id, call.key).filter((part) => part.number > after);
  const page = rest.slice(0, max);
  return xmlAnswer('ListPartsResult', {
    Bucket: call.bucket,
    Key: call.key,
    UploadId: id,
    PartNumberMarker: after,
    NextPartNumberMarker: page.at(-1)?.number ?? 0,
    MaxParts: max,
    IsTruncated: rest.length > page.length,
    ChecksumAlgorithm: upload.isChosen ? upload.algorithm : undefined,
    ChecksumType: upload.isChosen ? upload.checksumType : undefined,
    Part: page.map(listedPart),
  });
}

function listedPart(part: Part) {
  return {
    PartNumber: part.number,
    LastModified: new Date(part.lastModifiedMs).toISOString(),
    ETag: `"${part.etag}"`,
    Size: part.size,
    [checksumMember(part.checksum.algorithm)]: part.checksum.value,
  };
}

export async function completeMultipartUpload(call: Call): Promise<Answer> {
  const { bucket } = call.buckets.get(call.bucket);
  const { id, upload, uploads } = openUpload(call);
  const document = parseXml(await readText(call.message, completeBytesMax), 'CompleteMultipartUpload');
  const wanted = document.children('Part').map(wantedPart);
  if (wanted.length === 0 || wanted.length > partsMax) throw new S3Error('MalformedXML');
  const assembled = await uploads.assemble(id, call.key, wanted);
  const { system, user } = upload;
  try {
    const draft = { key: call.key, ...assembled, system, user };
    const object = await bucket.put(draft, (current) => {
      uploads.get(id, call.key);
      checkWrite(call.headers, current);
    });
    await uploads.remove(id, call.key);
    return xmlAnswer('CompleteMultipartUploadResult', {
      Location: `/${call.bucket}/${call.key}`,
      Bucket: call.bucket,
      Key: call.key,
      ETag: `"${object.etag}"`,
      ChecksumType: object.checksum.type,
      [checksumMember(object.checksum.algorithm)]: object.checksum.value,
    });
  } catch (error) {
    await removeFile(assembled.body.path);
    throw error;
  }
}

function wantedPart(part: Element): WantedPart {
  const number = Number(part.child('PartNumber') ?? '');
  const etag = part.child('ETag')?.replaceAll('"', '');
  if (!Number.isInteger(number) || etag === undefined) throw new S3Error('MalformedXML');
  const [checksum] = checksumAlgorithms.flatMap((algorithm) => {
    const value = part.child(checksumMember(algorithm));
    return value === undefined ? [] : [{ algorithm, value }];
  });
  return { number, etag, checksum };
}

export async function abortMultipartUpload(call: Call): Promise<Answer> {
  const { id, uploads } = openUpload(call);
  await uploads.remove(id, call.key);
  return { status: 204 };
}

export async function listMultipartUploads({ buckets, bucket, query }: Call): Promise<Answer> {
  const { uploads } = buckets.get(bucket);
  const max = queryNumber(query, 'max-uploads', pageMax);
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const encode = encoder(query);
  const rest = afterMarkers(uploads.list(), keyMarker, query.get('upload-id-marker') ?? '').filter((upload) =>
    upload.key.startsWith(prefix),
  );
  const page = rest.slice(0, max);
  const isTruncated = rest.length > page.length;
  return xmlAnswer('ListMultipartUploadsResult', {
    Bucket: bucket,
    KeyMarker: encode(keyMarker),
    UploadIdMarker: query.get('upload-id-marker') ?? '',
    NextKeyMarker: isTruncated ? encode(page.at(-1)?.key ?? '') : undefined,
    NextUploadIdMarker: isTruncated ? page.at(-1)?.id : undefined,
    EncodingType: query.get('encoding-type') ?? undefined,
    Prefix: encode(prefix),
    MaxUploads: max,
    IsTruncated: isTruncated,
    Upload: page.map((upload) => ({
      Key: encode(upload.key),
      UploadId: upload.id,
      Initiated: new Date(upload.startedMs).toISOString(),
      ChecksumAlgorithm: upload.isChosen ? upload.algorithm : undefined,
      ChecksumType: upload.isChosen ? upload.checksumType : undefined,
    })),
  });
}

/** Behind the marked upload of the marked key; without an upload, behind every upload of that key. */
function afterMarkers(uploads: readonly Upload[], key: string, id: string): readonly Upload[] {
  if (key === '') return uploads;
  const at = id === '' ? -1 : uploads.findIndex((upload) => upload.key === key && upload.id === id);
  return at === -1 ? uploads.filter((upload) => compareKeys(upload.key, key) > 0) : uploads.slice(at + 1);
}

function openUpload({ buckets, bucket, key, query }: Call) {
  const { uploads } = buckets.get(bucket);
  const id = query.get('uploadId') ?? '';
  return { id, uploads, upload: uploads.get(id, key) };
}
