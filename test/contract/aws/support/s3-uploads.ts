import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { refusal, refusalName, type Rule } from './peers.ts';
import { type Client, newBucket } from './s3-bucket.ts';

const partBytesMin = 5 * 1024 ** 2;
const large = Buffer.alloc(partBytesMin, 'a');
const small = Buffer.from('the end');

function md5(...chunks: readonly Uint8Array[]): Buffer {
  const hash = createHash('md5');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest();
}

export function copies(rule: Rule, client: Client): void {
  const copy = (Bucket: string, more: Partial<CopyObjectCommandInput> = {}) =>
    client().send(
      new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `${Bucket}/from%2Fä%20b`, ...more }),
    );

  async function source(): Promise<string> {
    const Bucket = await newBucket(client());
    const Metadata = { a: '1' };
    const put = { Bucket, Key: 'from/ä b', Body: 'body', ContentType: 'text/plain', Metadata };
    await client().send(new PutObjectCommand(put));
    return Bucket;
  }

  rule('copies the bytes and what is said of them', async () => {
    const Bucket = await source();
    const { CopyObjectResult } = await copy(Bucket);
    const read = await client().send(new GetObjectCommand({ Bucket, Key: 'to' }));
    expect(read.ETag).to.equal(CopyObjectResult?.ETag);
    expect(read).to.deep.include({ ContentType: 'text/plain', Metadata: { a: '1' } });
    expect(await read.Body?.transformToString()).to.equal('body');
  });

  rule('copies with other metadata under REPLACE', async () => {
    const Bucket = await source();
    await copy(Bucket, { MetadataDirective: 'REPLACE', Metadata: { b: '2' }, ContentType: 'text/html' });
    const head = await client().send(new HeadObjectCommand({ Bucket, Key: 'to' }));
    expect(head).to.deep.include({ ContentType: 'text/html', Metadata: { b: '2' } });
  });

  rule('copies only the version that the conditions name', async () => {
    const Bucket = await source();
    const copied = copy(Bucket, { CopySourceIfMatch: '"00000000000000000000000000000000"' });
    expect(await refusal(copied)).to.include({ name: 'PreconditionFailed', status: 412 });
  });

  rule('refuses to copy what is not there', async () => {
    const Bucket = await source();
    expect(await refusalName(copy(Bucket, { CopySource: `${Bucket}/none` }))).to.equal('NoSuchKey');
  });
}

async function start(
  client: S3Client,
  Bucket: string,
  more: Partial<CreateMultipartUploadCommandInput> = {},
): Promise<string> {
  const create = new CreateMultipartUploadCommand({ Bucket, Key: 'big', ...more });
  return (await client.send(create)).UploadId ?? '';
}

async function part(client: S3Client, Bucket: string, UploadId: string, PartNumber: number, Body: Buffer) {
  const upload = new UploadPartCommand({ Bucket, Key: 'big', UploadId, PartNumber, Body });
  const { ETag, ChecksumCRC32, ChecksumSHA256 } = await client.send(upload);
  return { PartNumber, ETag, ChecksumCRC32, ChecksumSHA256 };
}

type Parts = NonNullable<CompleteMultipartUploadCommandInput['MultipartUpload']>['Parts'];

function complete(
  client: S3Client,
  Bucket: string,
  UploadId: string,
  Parts: Parts,
  more: Partial<CompleteMultipartUploadCommandInput> = {},
) {
  const MultipartUpload = { Parts };
  return client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key: 'big', UploadId, MultipartUpload, ...more }),
  );
}

export function uploads(rule: Rule, client: Client): void {
  assembling(rule, client);
  refusals(rule, client);
  pages(rule, client);
}

function assembling(rule: Rule, client: Client): void {
  rule('puts parts together in the order of their numbers, under an ETag made of theirs', async () => {
    const Bucket = await newBucket(client());
    const UploadId = await start(client(), Bucket, { ContentType: 'text/plain', Metadata: { a: '1' } });
    const second = await part(client(), Bucket, UploadId, 7, small);
    const first = await part(client(), Bucket, UploadId, 3, large);
    const { ETag } = await complete(client(), Bucket, UploadId, [first, second]);
    expect(ETag).to.equal(`"${md5(md5(large), md5(small)).toString('hex')}-2"`);
    const read = await client().send(new GetObjectCommand({ Bucket, Key: 'big' }));
    expect(read).to.deep.include({ ETag, ContentType: 'text/plain', Metadata: { a: '1' } });
    const bytes = Buffer.from((await read.Body?.transformToByteArray()) ?? []);
    expect(bytes.equals(Buffer.concat([large, small]))).to.equal(true);
  });

  rule('takes a part anew, and the last one counts', async () => {
    const Bucket = await newBucket(client());
    const UploadId = await start(client(), Bucket);
    await part(client(), Bucket, UploadId, 1, large);
    const again = await part(client(), Bucket, UploadId, 1, small);
    await complete(client(), Bucket, UploadId, [again]);
    const read = await client().send(new GetObjectCommand({ Bucket, Key: 'big' }));
    expect(await read.Body?.transformToString()).to.equal('the end');
  });

  rule('makes the checksum of the whole from those of the parts', async () => {
    const Bucket = await newBucket(client());
    const UploadId = await start(client(), Bucket, { ChecksumAlgorithm: 'SHA256' });
    const upload = {
      Bucket,
      Key: 'big',
      UploadId,
      PartNumber: 1,
      Body: small,
      ChecksumAlgorithm: 'SHA256' as const,
    };
    const { ETag, ChecksumSHA256 } = await client().send(new UploadPartCommand(upload));
    const done = await complete(client(), Bucket, UploadId, [{ PartNumber: 1, ETag, ChecksumSHA256 }]);
    const ofParts = createHash('sha256')
      .update(Buffer.from(ChecksumSHA256 ?? '', 'base64'))
      .digest('base64');
    expect(done.ChecksumSHA256).to.equal(`${ofParts}-1`);
  });

  rule('completes only where there is no object, under If-None-Match: *', async () => {
    const Bucket = await newBucket(client());
    await client().send(new PutObjectCommand({ Bucket, Key: 'big', Body: 'first' }));
    const UploadId = await start(client(), Bucket);
    const only = await part(client(), Bucket, UploadId, 1, small);
    const completed = complete(client(), Bucket, UploadId, [only], { IfNoneMatch: '*' });
    expect(await refusal(completed)).to.include({ name: 'PreconditionFailed', status: 412 });
    const read = await client().send(new GetObjectCommand({ Bucket, Key: 'big' }));
    expect(await read.Body?.transformToString()).to.equal('first');
  });
}

function refusals(rule: Rule, client: Client): void {
  rule('refuses a part under 5 MiB that is not the last', async () => {
    const Bucket = await newBucket(client());
    const UploadId = await start(client(), Bucket);
    const parts = [
      await part(client(), Bucket, UploadId, 1, small),
      await part(client(), Bucket, UploadId, 2, small),
    ];
    const completed = complete(client(), Bucket, UploadId, parts);
    expect(await refusal(completed)).to.include({ name: 'EntityTooSmall', status: 400 });
  });

  rule('refuses a part that was never uploaded, and one of another ETag', async () => {
    const Bucket = await newBucket(client());
    const UploadId = await start(client(), Bucket);
    const only = await part(client(), Bucket, UploadId, 1, small);
    const missing = complete(client(), Bucket, UploadId, [{ ...only, PartNumber: 2 }]);
    expect(await refusal(missing)).to.include({ name: 'InvalidPart', status: 400 });
    const other = complete(client(), Bucket, UploadId, [
      { ...only, ETag: '"00000000000000000000000000000000"' },
    ]);
    expect(await refusalName(other)).to.equal('InvalidPart');
  });

  rule('refuses parts that are not in order', async () => {
    const Bucket = await newBucket(client());
    const UploadId = await start(client(), Bucket);
    const first = await part(client(), Bucket, UploadId, 1, large);
    const second = await part(client(), Bucket, UploadId, 2, large);
    expect(await refusalName(complete(client(), Bucket, UploadId, [second, first]))).to.equal(
      'InvalidPartOrder',
    );
  });

  rule('knows nothing of an upload that was aborted', async () => {
    const Bucket = await newBucket(client());
    const UploadId = await start(client(), Bucket);
    const only = await part(client(), Bucket, UploadId, 1, small);
    await client().send(new AbortMultipartUploadCommand({ Bucket, Key: 'big', UploadId }));
    expect(await refusalName(complete(client(), Bucket, UploadId, [only]))).to.equal('NoSuchUpload');
    expect(await refusalName(part(client(), Bucket, UploadId, 2, small))).to.equal('NoSuchUpload');
  });
}

function pages(rule: Rule, client: Client): void {
  rule('lists the parts of an upload, page by page', async () => {
    const Bucket = await newBucket(client());
    const UploadId = await start(client(), Bucket);
    for (const number of [1, 2, 3]) await part(client(), Bucket, UploadId, number, Buffer.alloc(number, 'x'));
    const page = (PartNumberMarker?: string) =>
      client().send(new ListPartsCommand({ Bucket, Key: 'big', UploadId, MaxParts: 2, PartNumberMarker }));
    const first = await page();
    expect(first.Parts?.map((listed) => [listed.PartNumber, listed.Size])).to.deep.equal([
      [1, 1],
      [2, 2],
    ]);
    expect(first.IsTruncated).to.equal(true);
    const second = await page(first.NextPartNumberMarker);
    expect(second.Parts?.map((listed) => listed.PartNumber)).to.deep.equal([3]);
    expect(second.IsTruncated).to.equal(false);
  });

  rule('lists the uploads under way, by key', async () => {
    const Bucket = await newBucket(client());
    const ids: string[] = [];
    for (const Key of ['b', 'a', 'c']) ids.push(await start(client(), Bucket, { Key }));
    await client().send(new AbortMultipartUploadCommand({ Bucket, Key: 'c', UploadId: ids[2] }));
    const { Uploads } = await client().send(new ListMultipartUploadsCommand({ Bucket }));
    expect(Uploads?.map((upload) => [upload.Key, upload.UploadId])).to.deep.equal([
      ['a', ids[1]],
      ['b', ids[0]],
    ]);
  });
}
