import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect } from 'chai';
import type { StandIn } from '../../../local/listen.ts';
import { localRegion } from '../../../local/names.ts';
import { startS3 } from '../../../local/s3/server.ts';

const Bucket = 'lake';

describe('S3 on a folder', () => {
  let dataDir: string;
  let s3: StandIn;
  let client: S3Client;

  const start = async (): Promise<void> => {
    s3 = await startS3({ host: '127.0.0.1', port: 0, dataDir, region: localRegion });
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    client = new S3Client({ region: localRegion, endpoint: s3.url, credentials, maxAttempts: 1 });
  };
  const stop = async (): Promise<void> => {
    client.destroy();
    await s3.close();
  };

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'weir-s3-'));
    await start();
    await client.send(new CreateBucketCommand({ Bucket }));
  });

  afterEach(async () => {
    await stop();
    await rm(dataDir, { recursive: true });
  });

  const inFolder = (...names: readonly string[]): string => join(dataDir, 's3', ...names);
  const put = (Key: string, more: Partial<PutObjectCommandInput> = {}) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body: 'body', ...more }));
  const text = async (Key: string): Promise<string | undefined> =>
    (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
  const failureOf = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
      return 'none';
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : 'no error';
    }
  };

  it('lays an object under its key with the bytes that were put, so that zcat reads it', async () => {
    const Key = 'event_type=weather/2026/a.json.gz';
    await put(Key, { Body: gzipSync('{"a":1}\n'), ContentEncoding: 'gzip' });
    const file = await readFile(inFolder(Bucket, Key));
    expect(gunzipSync(file).toString()).to.equal('{"a":1}\n');
  });

  it('leaves no folder behind when the last object below it is deleted, but every file of a user', async () => {
    await put('a/b/c');
    await put('x/y');
    await writeFile(inFolder(Bucket, 'x', 'notes.txt'), 'mine');
    for (const Key of ['a/b/c', 'x/y']) await client.send(new DeleteObjectCommand({ Bucket, Key }));
    expect(await readdir(inFolder(Bucket))).to.deep.equal(['x']);
    await client.send(new DeleteBucketCommand({ Bucket }));
    expect(await readFile(inFolder(Bucket, 'x', 'notes.txt'), 'utf8')).to.equal('mine');
  });

  it('keeps objects, what is said of them, and uploads under way over a restart', async () => {
    await put('a', { Metadata: { m: '1' } });
    await put('a/b');
    const upload = { Bucket, Key: 'big' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload));
    const first = { ...upload, UploadId, PartNumber: 1, Body: 'part' };
    const { ETag } = await client.send(new UploadPartCommand(first));
    await stop();
    await start();
    expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'a' }))).Metadata).to.deep.equal({
      m: '1',
    });
    expect(await text('a/b')).to.equal('body');
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await client.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload }));
    expect(await text('big')).to.equal('part');
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents.map((object) => object.Key)).to.deep.equal(['a', 'a/b', 'big']);
  });

  it('finishes at its start the write that a kill cut short, and throws away what never became an object', async () => {
    await put('deep/key', { Body: 'written' });
    await stop();
    const sidecars = inFolder('.weir', 'buckets', Bucket, 'objects');
    const [sidecar = ''] = await readdir(sidecars);
    const { staged } = JSON.parse(await readFile(join(sidecars, sidecar), 'utf8')) as {
      readonly staged: string;
    };
    await rename(inFolder(Bucket, 'deep', 'key'), inFolder('.weir', 'staged', staged));
    await rm(dirname(inFolder(Bucket, 'deep', 'key')), { recursive: true });
    await writeFile(inFolder('.weir', 'staged', 'half-a-body'), 'ha');
    await start();
    expect(await text('deep/key')).to.equal('written');
    expect(await readFile(inFolder(Bucket, 'deep', 'key'), 'utf8')).to.equal('written');
    expect(await readdir(inFolder('.weir', 'staged'))).to.deep.equal([]);
  });

  it('does not see folders that it did not make', async () => {
    await mkdir(inFolder('stranger'));
    await stop();
    await start();
    const list = client.send(new ListObjectsV2Command({ Bucket: 'stranger' }));
    expect(await failureOf(list)).to.match(/^NoSuchBucket/);
  });

  it('refuses what it does not do, and leaves the object as it is', async () => {
    await put('k');
    const Tagging = { TagSet: [{ Key: 'a', Value: 'b' }] };
    const tagging = client.send(new PutObjectTaggingCommand({ Bucket, Key: 'k', Tagging }));
    expect(await failureOf(tagging)).to.equal('NotImplemented: PUT object ?tagging is not implemented.');
    expect(await failureOf(put('k', { Body: 'x', ACL: 'public-read' }))).to.match(
      /^NotImplemented: .*x-amz-acl/,
    );
    expect(await text('k')).to.equal('body');
  });

  it('reads the bytes of one write while another replaces them', async () => {
    const [before, after] = [Buffer.alloc(3_000_000, 'a'), Buffer.alloc(3_000_000, 'b')];
    await put('k', { Body: before });
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    await put('k', { Body: after });
    expect(before.equals((await Body?.transformToByteArray()) ?? new Uint8Array())).to.equal(true);
  });

  it('takes signed chunks, whose signatures it does not check', async () => {
    const body = '5;chunk-signature=00\r\nhello\r\n0;chunk-signature=00\r\n\r\n';
    const headers = {
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'x-amz-decoded-content-length': '5',
      'content-encoding': 'aws-chunked',
    };
    const response = await fetch(`${s3.url}/${Bucket}/k`, { method: 'PUT', headers, body });
    expect(response.status).to.equal(200);
    expect(await text('k')).to.equal('hello');
  });

  it('tells a client that breaks the framing why, on the same connection', async () => {
    const headers = {
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '1000000',
    };
    const response = await fetch(`${s3.url}/${Bucket}/k`, {
      method: 'PUT',
      headers,
      body: 'no chunk\r\n'.repeat(100_000),
    });
    expect(response.status).to.equal(400);
    expect(await response.text()).to.include('is not a chunk length');
  });

  it('wants to know the length of a body', async () => {
    const status = await new Promise((resolve, reject) => {
      const call = request(`${s3.url}/${Bucket}/k`, { method: 'PUT' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.on('error', reject);
      call.write('of unknown length');
      call.end();
    });
    expect(status).to.equal(411);
  });

  it('keeps nothing of a body whose client was killed', async () => {
    const socket = connect(s3.port, '127.0.0.1');
    socket.write(`PUT /${Bucket}/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nonly this`);
    const staged = async (): Promise<number> => (await readdir(inFolder('.weir', 'staged'))).length;
    while ((await staged()) === 0) await put('other');
    socket.destroy();
    while ((await staged()) > 0) await text('other');
    expect(await failureOf(text('k'))).to.match(/^NoSuchKey/);
  });

  it('names the port when it is taken, and leaves the folder of the other alone', async () => {
    await writeFile(inFolder('.weir', 'staged', 'in-the-making'), 'ha');
    const taken = startS3({ host: '127.0.0.1', port: s3.port, dataDir, region: localRegion });
    expect(await failureOf(taken)).to.include(`Port ${s3.port} on 127.0.0.1, wanted for S3, is taken`);
    expect(await readdir(inFolder('.weir', 'staged'))).to.deep.equal(['in-the-making']);
  });
});
