import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithms,
  checksumHeader,
  digestBytes,
  runningChecksum,
} from './checksums.ts';
import { ChunkDecoder } from './chunked.ts';
import { S3Error } from './errors.ts';

/** A body on disk, not yet an object. */
export interface StoredBody {
  readonly path: string;
  readonly size: number;
  readonly md5: Buffer;
  readonly checksum: Checksum;
}

/** What the headers say of the body to come. */
interface Announced {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; undefined when it comes in a trailer or not at all. */
  readonly checksum: string | undefined;
  readonly inTrailer: boolean;
  readonly md5: Buffer | undefined;
  readonly length: number;
  readonly chunked: boolean;
}

/** The largest body of one PutObject or UploadPart: 5 GiB (Amazon S3 user guide, "Uploading objects"). */
const bodyBytesMax = 5 * 1024 ** 3;
/** Without a checksum of the client's S3 computes this one itself. */
const defaultAlgorithm: ChecksumAlgorithm = 'CRC64NVME';

/**
 * Streams a request's body to `path`, takes off aws-chunked framing and verifies length, Content-MD5 and checksum.
 * @throws S3Error BadDigest, InvalidDigest, IncompleteBody, MissingContentLength, EntityTooLarge, InvalidRequest
 */
export async function receiveBody(request: IncomingMessage, path: string): Promise<StoredBody> {
  const announced = announcement(request.headers);
  const decoder = announced.chunked ? new ChunkDecoder() : undefined;
  // Not destroyed on failure: the client still has to read why.
  const bytes = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  const data = decoder === undefined ? bytes : decoder.decode(bytes);
  const stored = await storeBody(data, path, announced.algorithm);
  if (stored.size !== announced.length) throw new S3Error('IncompleteBody');
  if (announced.md5 !== undefined && !announced.md5.equals(stored.md5)) throw new S3Error('BadDigest');
  const expected = announced.inTrailer
    ? decoder?.trailers.get(checksumHeader(announced.algorithm))
    : announced.checksum;
  if (announced.inTrailer && expected === undefined) {
    throw new S3Error('InvalidRequest', {}, 'The trailer that x-amz-trailer announces is missing.');
  }
  if (expected !== undefined && expected !== stored.checksum.value) {
    throw new S3Error(
      'BadDigest',
      {},
      `The ${announced.algorithm} you specified did not match the calculated checksum.`,
    );
  }
  return stored;
}

/** Streams bytes to `path`, computing MD5 and one checksum on the way. */
export async function storeBody(
  source: AsyncIterable<Buffer>,
  path: string,
  algorithm: ChecksumAlgorithm,
): Promise<StoredBody> {
  const md5 = createHash('md5');
  const checksum = runningChecksum(algorithm);
  let size = 0;
  const sums = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      md5.update(chunk);
      checksum.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(source, sums, createWriteStream(path));
  const value = checksum.digest().toString('base64');
  return { path, size, md5: md5.digest(), checksum: { algorithm, value, type: 'FULL_OBJECT' } };
}

function announcement(headers: IncomingHttpHeaders): Announced {
  const chunked = String(headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-');
  const length = headers[chunked ? 'x-amz-decoded-content-length' : 'content-length'];
  if (length === undefined || !/^\d+$/.test(String(length))) throw new S3Error('MissingContentLength');
  if (Number(length) > bodyBytesMax)
    throw new S3Error('EntityTooLarge', { MaxSizeAllowed: String(bodyBytesMax) });
  const trailer = String(headers['x-amz-trailer'] ?? '').toLowerCase();
  const inTrailer = checksumAlgorithms.find((candidate) => checksumHeader(candidate) === trailer);
  const given = checksumAlgorithms.filter((candidate) => headers[checksumHeader(candidate)] !== undefined);
  if (given.length + (inTrailer === undefined ? 0 : 1) > 1) {
    throw new S3Error('InvalidRequest', {}, 'Expecting a single x-amz-checksum- header');
  }
  const algorithm = inTrailer ?? given[0] ?? defaultAlgorithm;
  return {
    algorithm,
    checksum: given[0] === undefined ? undefined : validChecksum(algorithm, headers),
    inTrailer: inTrailer !== undefined,
    md5: contentMd5(headers),
    length: Number(length),
    chunked,
  };
}

function validChecksum(algorithm: ChecksumAlgorithm, headers: IncomingHttpHeaders): string {
  const name = checksumHeader(algorithm);
  const value = String(headers[name]);
  if (Buffer.from(value, 'base64').length === digestBytes[algorithm]) return value;
  throw new S3Error('InvalidRequest', {}, `Value for ${name} header is invalid.`);
}

function contentMd5(headers: IncomingHttpHeaders): Buffer | undefined {
  const value = headers['content-md5'];
  if (value === undefined) return undefined;
  const bytes = Buffer.from(String(value), 'base64');
  if (bytes.length !== 16) throw new S3Error('InvalidDigest');
  return bytes;
}

/** Reads a small body (an XML document) whole, with the same checks. */
export async function readText(request: IncomingMessage, bytesMax: number): Promise<string> {
  const announced = announcement(request.headers);
  if (announced.length > bytesMax || announced.chunked) throw new S3Error('MalformedXML');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const checksum = runningChecksum(announced.algorithm);
  checksum.update(body);
  const value = checksum.digest().toString('base64');
  if (announced.checksum !== undefined && announced.checksum !== value) throw new S3Error('BadDigest');
  const md5 = createHash('md5').update(body).digest();
  if (announced.md5 !== undefined && !announced.md5.equals(md5)) throw new S3Error('BadDigest');
  return body.toString('utf8');
}
