import {
  createBucket,
  deleteBucket,
  deleteObjects,
  getBucketLocation,
  headBucket,
  listBuckets,
  listObjects,
} from './bucket-operations.ts';
import { S3Error } from './errors.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
} from './multipart-operations.ts';
import { responseOverrides } from './object-headers.ts';
import { copyObject, deleteObject, getObject, headObject, putObject } from './object-operations.ts';
import type { Answer, Call } from './request.ts';

interface Operation {
  readonly method: string;
  readonly on: 'service' | 'bucket' | 'object';
  /** Query parameters that make it this operation. */
  readonly needs?: readonly string[];
  /** Query parameters it also understands. */
  readonly takes?: readonly string[];
  readonly needsHeader?: string;
  readonly run: (call: Call) => Promise<Answer>;
}

/** The first that fits is run, so the special ones of a method come before its plain one. */
const operations: readonly Operation[] = [
  { method: 'GET', on: 'service', run: listBuckets },

  { method: 'PUT', on: 'bucket', run: createBucket },
  { method: 'HEAD', on: 'bucket', run: headBucket },
  { method: 'DELETE', on: 'bucket', run: deleteBucket },
  { method: 'POST', on: 'bucket', needs: ['delete'], run: deleteObjects },
  { method: 'GET', on: 'bucket', needs: ['location'], run: getBucketLocation },
  {
    method: 'GET',
    on: 'bucket',
    needs: ['uploads'],
    takes: ['prefix', 'key-marker', 'upload-id-marker', 'max-uploads', 'encoding-type'],
    run: listMultipartUploads,
  },
  {
    method: 'GET',
    on: 'bucket',
    takes: [
      'list-type',
      'prefix',
      'delimiter',
      'start-after',
      'continuation-token',
      'max-keys',
      'encoding-type',
      'fetch-owner',
    ],
    run: listObjects,
  },

  {
    method: 'GET',
    on: 'object',
    needs: ['uploadId'],
    takes: ['max-parts', 'part-number-marker'],
    run: listParts,
  },
  { method: 'GET', on: 'object', takes: responseOverrides, run: getObject },
  { method: 'HEAD', on: 'object', takes: responseOverrides, run: headObject },
  { method: 'PUT', on: 'object', needs: ['uploadId', 'partNumber'], run: uploadPart },
  { method: 'PUT', on: 'object', needsHeader: 'x-amz-copy-source', run: copyObject },
  { method: 'PUT', on: 'object', run: putObject },
  { method: 'DELETE', on: 'object', needs: ['uploadId'], run: abortMultipartUpload },
  { method: 'DELETE', on: 'object', run: deleteObject },
  { method: 'POST', on: 'object', needs: ['uploads'], run: createMultipartUpload },
  { method: 'POST', on: 'object', needs: ['uploadId'], run: completeMultipartUpload },
];

/** Signing (which is not checked) and the SDK's note of the operation's name. */
const harmlessQuery = /^(x-id|x-amz-.*)$/i;

/** x-amz- headers that are understood, or that ask for nothing. */
const knownHeaders =
  /^x-amz-(checksum-.*|content-sha256|copy-source.*|date|decoded-content-length|expected-bucket-owner|meta-.*|metadata-directive|request-payer|sdk-checksum-algorithm|security-token|source-expected-bucket-owner|trailer|user-agent)$/;

/**
 * The operation that a request means. What it does not understand it refuses, so that nothing is quietly left out
 * (a PutObjectTagging, say, must not become a PutObject).
 * @throws S3Error NotImplemented
 */
export function findOperation(method: string, call: Call): (call: Call) => Promise<Answer> {
  const on = call.bucket === '' ? 'service' : call.key === '' ? 'bucket' : 'object';
  const names = [...call.query.keys()].filter((name) => !harmlessQuery.test(name));
  const fits = operations.find(
    ({ needs = [], takes = [], needsHeader, ...operation }) =>
      operation.method === method &&
      operation.on === on &&
      needs.every((name) => names.includes(name)) &&
      names.every((name) => needs.includes(name) || takes.includes(name)) &&
      (needsHeader === undefined || call.headers[needsHeader] !== undefined),
  );
  if (fits === undefined) {
    throw new S3Error('NotImplemented', {}, `${method} ${on} ?${names.join('&')} is not implemented.`);
  }
  const header = Object.keys(call.headers).find(
    (name) => name.startsWith('x-amz-') && !knownHeaders.test(name),
  );
  if (header !== undefined) {
    throw new S3Error('NotImplemented', { Header: header }, `The header ${header} is not implemented.`);
  }
  return fits.run;
}
