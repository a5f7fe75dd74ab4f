import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { nameOf } from '../runtime/errors.ts';
import { sendOptions } from './batches.ts';

export interface ObjectBody {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/** The objects of one bucket. Adapters: S3 (here) and memory (test/support/memory-objects.ts). */
export interface Objects {
  /** Creates the object unless the key is taken (`If-None-Match: *`); `exists` says nothing of the bytes there. */
  readonly create: (object: ObjectBody, signal?: AbortSignal) => Promise<'created' | 'exists'>;
  /** Creates or overwrites. */
  readonly put: (object: ObjectBody, signal?: AbortSignal) => Promise<void>;
  /** The bytes as stored (still compressed), undefined if there is no such object. */
  readonly get: (key: string, signal?: AbortSignal) => Promise<Uint8Array | undefined>;
  /** Keys that begin with `prefix`, in order. */
  readonly list: (prefix: string, signal?: AbortSignal) => AsyncIterable<string>;
}

/** Hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function createS3Objects(client: S3Client, bucket: string): Objects {
  const put = async (object: ObjectBody, condition: { IfNoneMatch?: '*' }, signal?: AbortSignal) => {
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: object.key,
      Body: object.bytes,
      ContentType: object.contentType,
      ChecksumSHA256: createHash('sha256').update(object.bytes).digest('base64'),
      ...condition,
    });
    await client.send(command, sendOptions(signal));
  };
  return {
    create: async (object, signal) => {
      try {
        await put(object, { IfNoneMatch: '*' }, signal);
        return 'created';
      } catch (error) {
        if (nameOf(error) === 'PreconditionFailed') return 'exists';
        throw error;
      }
    },
    put: (object, signal) => put(object, {}, signal),
    get: async (key, signal) => {
      try {
        const { Body } = await client.send(
          new GetObjectCommand({ Bucket: bucket, Key: key }),
          sendOptions(signal),
        );
        return await Body?.transformToByteArray();
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
    list: (prefix, signal) => listKeys(client, bucket, prefix, signal),
  };
}

async function* listKeys(client: S3Client, bucket: string, prefix: string, signal?: AbortSignal) {
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
      sendOptions(signal),
    );
    for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key;
    token = page.NextContinuationToken;
  } while (token !== undefined);
}
