import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { startS3 } from '../../../local/s3/server.ts';
import { contract, contractRegion, type Difference } from './support/peers.ts';
import { buckets, deletions, listings } from './support/s3-buckets.ts';
import { conditions, integrity, keys, reads, writes } from './support/s3-objects.ts';
import { copies, uploads } from './support/s3-uploads.ts';

const differences: readonly Difference[] = [
  {
    peer: 'moto',
    rule: 'refuses a name that no bucket may have',
    does: 'creates it',
    documented: '3 to 63 of a-z, 0-9, dot and hyphen (user guide, "Bucket naming rules")',
  },
  {
    peer: 'moto',
    rule: 'refuses a body that does not fit its CRC32',
    does: 'takes it',
    documented: 'a checksum that does not match fails the request (user guide, "Checking object integrity")',
  },
  {
    peer: 'moto',
    rule: 'refuses a body that does not fit its CRC32C',
    does: 'takes it',
    documented: 'a checksum that does not match fails the request (user guide, "Checking object integrity")',
  },
  {
    peer: 'moto',
    rule: 'refuses a body that does not fit its SHA1',
    does: 'takes it',
    documented: 'a checksum that does not match fails the request (user guide, "Checking object integrity")',
  },
  {
    peer: 'moto',
    rule: 'refuses a body that does not fit its SHA256',
    does: 'takes it',
    documented: 'a checksum that does not match fails the request (user guide, "Checking object integrity")',
  },
  {
    peer: 'moto',
    rule: 'refuses a body that does not fit its Content-MD5',
    does: 'takes it',
    documented: 'S3 compares it and answers with an error (API reference, PutObject)',
  },
  {
    peer: 'moto',
    rule: 'lets a reader replace headers of the answer',
    does: 'does so in presigned requests only',
    documented: 'response-content-type and others, in any signed request (API reference, GetObject)',
  },
  {
    peer: 'moto',
    rule: 'refuses a key of more than 1,024 bytes',
    does: 'takes it',
    documented: 'at most 1,024 bytes in UTF-8 (user guide, "Naming Amazon S3 objects")',
  },
  {
    peer: 'moto',
    rule: 'says nothing of deleted keys when asked to be quiet',
    does: 'lists them',
    documented: 'in quiet mode only errors are returned (API reference, DeleteObjects)',
  },
  {
    peer: 'moto',
    rule: 'copies only the version that the conditions name',
    does: 'copies any',
    documented: '412 when the source does not match (API reference, CopyObject)',
  },
  {
    peer: 'moto',
    rule: 'makes the checksum of the whole from those of the parts',
    does: 'gives none',
    documented:
      'a checksum of the checksums, with the number of parts (user guide, "Checking object integrity")',
  },
  {
    peer: 'moto',
    rule: 'refuses parts that are not in order',
    does: 'puts them together all the same',
    documented: 'InvalidPartOrder (API reference, CompleteMultipartUpload)',
  },
  {
    peer: 'moto',
    rule: 'knows nothing of an upload that was aborted',
    does: 'answers a part with an error of no name',
    documented: 'NoSuchUpload (API reference, UploadPart)',
  },
  {
    peer: 'moto',
    rule: 'lists the uploads under way, by key',
    does: 'lists them in the order they were started',
    documented: 'sorted by key, then by start (API reference, ListMultipartUploads)',
  },
];

contract({
  service: 'S3',
  ours: async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'weir-s3-'));
    const { url, close } = await startS3({ host: '127.0.0.1', port: 0, dataDir, region: contractRegion });
    return {
      url,
      close: async () => {
        await close();
        await rm(dataDir, { recursive: true });
      },
    };
  },
  connect: (config) => new S3Client({ ...config, forcePathStyle: true }),
  differences,
  rules: (rule, client) => {
    buckets(rule, client);
    writes(rule, client);
    integrity(rule, client);
    reads(rule, client);
    conditions(rule, client);
    keys(rule, client);
    listings(rule, client);
    deletions(rule, client);
    copies(rule, client);
    uploads(rule, client);
  },
});
