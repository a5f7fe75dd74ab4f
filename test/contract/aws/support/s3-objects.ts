import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { refusal, refusalName, type Rule } from './peers.ts';
import { type Client, newBucket } from './s3-bucket.ts';

const put = (client: S3Client, Bucket: string, Key: string, more: Partial<PutObjectCommandInput> = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body: 'body', ...more }));

const get = (client: S3Client, Bucket: string, Key: string, more: Partial<GetObjectCommandInput> = {}) =>
  client.send(new GetObjectCommand({ Bucket, Key, ...more }));

async function text(client: S3Client, Bucket: string, Key: string): Promise<string | undefined> {
  return (await get(client, Bucket, Key)).Body?.transformToString();
}

function md5(bytes: Uint8Array | string): string {
  return createHash('md5').update(bytes).digest('hex');
}

export function writes(rule: Rule, client: Client): void {
  rule('gives back the bytes that were put, with type, encoding and metadata', async () => {
    const Bucket = await newBucket(client());
    const headers = {
      ContentType: 'application/x-ndjson',
      ContentEncoding: 'gzip',
      ContentLanguage: 'en',
      ContentDisposition: 'attachment; filename="a.json"',
      CacheControl: 'max-age=60',
      Metadata: { 'first-position': '1', 'last-position': '9' },
    };
    const Body = gzipSync('{"a":1}\n');
    await put(client(), Bucket, 'event_type=weather/1.json.gz', { ...headers, Body });
    const read = await get(client(), Bucket, 'event_type=weather/1.json.gz');
    expect(read).to.deep.include(headers);
    const bytes = (await read.Body?.transformToByteArray()) ?? new Uint8Array();
    expect(gunzipSync(bytes).toString()).to.equal('{"a":1}\n');
  });

  rule('names an object by the MD5 of its bytes', async () => {
    const Bucket = await newBucket(client());
    const { ETag } = await put(client(), Bucket, 'k', { Body: 'hello' });
    expect(ETag).to.equal(`"${md5('hello')}"`);
    expect((await get(client(), Bucket, 'k')).ETag).to.equal(ETag);
  });

  rule('takes an empty body', async () => {
    const Bucket = await newBucket(client());
    await put(client(), Bucket, 'empty', { Body: Buffer.alloc(0) });
    expect(await text(client(), Bucket, 'empty')).to.equal('');
  });

  rule('takes a stream, which the SDK sends in aws-chunked framing', async () => {
    const Bucket = await newBucket(client());
    const chunks = Array.from({ length: 40 }, (_, at) => Buffer.alloc(70_001, at));
    const whole = Buffer.concat(chunks);
    await put(client(), Bucket, 'stream', { Body: Readable.from(chunks), ContentLength: whole.length });
    const read = await get(client(), Bucket, 'stream');
    expect(read.ContentEncoding).to.equal(undefined);
    expect(md5((await read.Body?.transformToByteArray()) ?? '')).to.equal(md5(whole));
  });

  rule('replaces an object and everything that was said of it', async () => {
    const Bucket = await newBucket(client());
    await put(client(), Bucket, 'k', { Metadata: { a: '1' }, ContentEncoding: 'gzip' });
    await put(client(), Bucket, 'k', { Body: 'second' });
    const read = await get(client(), Bucket, 'k');
    expect(read.Metadata).to.deep.equal({});
    expect(read.ContentEncoding).to.equal(undefined);
    expect(await read.Body?.transformToString()).to.equal('second');
  });
}

export function integrity(rule: Rule, client: Client): void {
  rule("returns the SDK's CRC32 on put and, when asked for it, on read", async () => {
    const Bucket = await newBucket(client());
    const { ChecksumCRC32 } = await put(client(), Bucket, 'k', { Body: '123456789' });
    expect(Buffer.from(ChecksumCRC32 ?? '', 'base64').toString('hex')).to.equal('cbf43926');
    const head = await client().send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }));
    expect(head.ChecksumCRC32).to.equal(ChecksumCRC32);
  });

  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const) {
    rule(`keeps a ${ChecksumAlgorithm}`, async () => {
      const Bucket = await newBucket(client());
      const member = `Checksum${ChecksumAlgorithm}` as const;
      const written = await put(client(), Bucket, 'k', { ChecksumAlgorithm });
      expect(written[member]).to.be.a('string');
      const head = await client().send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }));
      expect(head[member]).to.equal(written[member]);
    });

    rule(`refuses a body that does not fit its ${ChecksumAlgorithm}`, async () => {
      const Bucket = await newBucket(client());
      const right = (await put(client(), Bucket, 'other', { ChecksumAlgorithm, Body: 'another' }))[
        `Checksum${ChecksumAlgorithm}`
      ];
      const wrong = put(client(), Bucket, 'k', { [`Checksum${ChecksumAlgorithm}`]: right, Body: 'body' });
      expect(await refusal(wrong)).to.include({ name: 'BadDigest', status: 400 });
      expect(await refusalName(get(client(), Bucket, 'k'))).to.equal('NoSuchKey');
    });
  }

  rule('refuses a body that does not fit its Content-MD5', async () => {
    const Bucket = await newBucket(client());
    const ContentMD5 = createHash('md5').update('another').digest('base64');
    expect(await refusal(put(client(), Bucket, 'k', { ContentMD5 }))).to.include({
      name: 'BadDigest',
      status: 400,
    });
  });
}

export function reads(rule: Rule, client: Client): void {
  rule('reads ranges: from, to, the last bytes, and no further than the end', async () => {
    const Bucket = await newBucket(client());
    await put(client(), Bucket, 'k', { Body: '0123456789' });
    const range = async (Range: string) => {
      const read = await get(client(), Bucket, 'k', { Range });
      return [await read.Body?.transformToString(), read.ContentRange, read.ContentLength];
    };
    expect(await range('bytes=2-4')).to.deep.equal(['234', 'bytes 2-4/10', 3]);
    expect(await range('bytes=7-')).to.deep.equal(['789', 'bytes 7-9/10', 3]);
    expect(await range('bytes=-2')).to.deep.equal(['89', 'bytes 8-9/10', 2]);
    expect(await range('bytes=8-100')).to.deep.equal(['89', 'bytes 8-9/10', 2]);
  });

  rule('refuses a range behind the end', async () => {
    const Bucket = await newBucket(client());
    await put(client(), Bucket, 'k');
    const read = get(client(), Bucket, 'k', { Range: 'bytes=4-' });
    expect(await refusal(read)).to.include({ name: 'InvalidRange', status: 416 });
  });

  rule('lets a reader replace headers of the answer', async () => {
    const Bucket = await newBucket(client());
    await put(client(), Bucket, 'k', { ContentType: 'text/plain' });
    const read = await get(client(), Bucket, 'k', {
      ResponseContentType: 'application/json',
      ResponseContentDisposition: 'inline',
    });
    expect(read).to.include({ ContentType: 'application/json', ContentDisposition: 'inline' });
  });

  rule('tells a missing key from a missing bucket, and answers a HEAD with 404', async () => {
    const Bucket = await newBucket(client());
    expect(await refusal(get(client(), Bucket, 'none'))).to.include({ name: 'NoSuchKey', status: 404 });
    expect(await refusal(get(client(), 'contract-no-bucket', 'k'))).to.include({
      name: 'NoSuchBucket',
      status: 404,
    });
    expect(await refusalName(put(client(), 'contract-no-bucket', 'k'))).to.equal('NoSuchBucket');
    const head = client().send(new HeadObjectCommand({ Bucket, Key: 'none' }));
    expect(await refusal(head)).to.include({ name: 'NotFound', status: 404 });
  });

  rule('reads under If-None-Match, If-Match and the dates', async () => {
    const Bucket = await newBucket(client());
    const { ETag } = await put(client(), Bucket, 'k');
    const past = new Date('2020-01-01T00:00:00Z');
    const status = async (more: Partial<GetObjectCommandInput>) =>
      (await refusal(get(client(), Bucket, 'k', more))).status;
    expect(await status({ IfNoneMatch: ETag })).to.equal(304);
    expect(await status({ IfMatch: '"00000000000000000000000000000000"' })).to.equal(412);
    expect(await status({ IfUnmodifiedSince: past })).to.equal(412);
    expect(await status({ IfModifiedSince: new Date() })).to.equal(304);
    await get(client(), Bucket, 'k', { IfMatch: ETag, IfModifiedSince: past });
  });
}

export function conditions(rule: Rule, client: Client): void {
  rule('creates an object only where there is none, under If-None-Match: *', async () => {
    const Bucket = await newBucket(client());
    await put(client(), Bucket, 'k', { Body: 'first', IfNoneMatch: '*' });
    const second = put(client(), Bucket, 'k', { Body: 'second', IfNoneMatch: '*' });
    expect(await refusal(second)).to.include({ name: 'PreconditionFailed', status: 412 });
    expect(await text(client(), Bucket, 'k')).to.equal('first');
  });

  rule('lets exactly one of 50 concurrent creations win', async () => {
    const Bucket = await newBucket(client());
    const bodies = Array.from({ length: 50 }, (_, at) => `writer ${at}`);
    const outcomes = await Promise.allSettled(
      bodies.map((Body) => put(client(), Bucket, 'race', { Body, IfNoneMatch: '*' })),
    );
    const winners = bodies.filter((_, at) => outcomes[at]?.status === 'fulfilled');
    expect(winners).to.have.lengthOf(1);
    expect(await text(client(), Bucket, 'race')).to.equal(winners[0]);
  });

  rule('replaces only the version that If-Match names', async () => {
    const Bucket = await newBucket(client());
    const { ETag } = await put(client(), Bucket, 'k', { Body: '1' });
    await put(client(), Bucket, 'k', { Body: '2', IfMatch: ETag });
    const late = put(client(), Bucket, 'k', { Body: '3', IfMatch: ETag });
    expect(await refusal(late)).to.include({ name: 'PreconditionFailed', status: 412 });
    expect(await text(client(), Bucket, 'k')).to.equal('2');
  });

  rule('answers If-Match on a missing object with NoSuchKey', async () => {
    const Bucket = await newBucket(client());
    const write = put(client(), Bucket, 'k', { IfMatch: '"00000000000000000000000000000000"' });
    expect(await refusal(write)).to.include({ name: 'NoSuchKey', status: 404 });
  });
}

export function keys(rule: Rule, client: Client): void {
  const odd = [
    'a',
    'a/b',
    'a//b',
    '/lead',
    'trail/',
    '../up',
    './here',
    'A',
    'ünï/💥',
    ' sp+a%20ce&<>"\'',
    'q?x#y',
  ];

  rule('keeps every key apart, however odd, and lists them by their bytes', async () => {
    const Bucket = await newBucket(client());
    const all = [...odd, 'k'.repeat(1_024), `${'d'.repeat(200)}/${'f'.repeat(800)}`];
    for (const Key of all) await put(client(), Bucket, Key, { Body: `body of ${Key}` });
    for (const Key of all) expect(await text(client(), Bucket, Key)).to.equal(`body of ${Key}`);
    const { Contents = [] } = await client().send(new ListObjectsV2Command({ Bucket }));
    const byBytes = [...all].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    expect(Contents.map((object) => object.Key)).to.deep.equal(byBytes);
  });

  rule('refuses a key of more than 1,024 bytes', async () => {
    const Bucket = await newBucket(client());
    expect(await refusalName(put(client(), Bucket, 'k'.repeat(1_025)))).to.equal('KeyTooLongError');
  });
}
