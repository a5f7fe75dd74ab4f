import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { createS3Objects, type Objects } from '../../../lib/stores/objects.ts';
import { startS3 } from '../../../local/s3/server.ts';
import { createMemoryObjects } from '../../support/memory-objects.ts';

/** What both adapters promise: the S3 client against the laptop's bucket, and the memory of the tests. */
function contract(open: () => Objects): void {
  const object = (key: string, text: string) => ({
    key,
    bytes: new TextEncoder().encode(text),
    contentType: 'text/plain',
  });
  const textAt = async (key: string) => {
    const bytes = await open().get(key);
    return bytes && new TextDecoder().decode(bytes);
  };

  it('creates an object once: a second time it says so and leaves the first as it is', async () => {
    expect(await open().create(object('once/a=%20b', 'first'))).to.equal('created');
    expect(await open().create(object('once/a=%20b', 'second'))).to.equal('exists');
    expect(await textAt('once/a=%20b')).to.equal('first');
  });

  it('overwrites where it is told to, and knows what is not there', async () => {
    await open().put(object('put', 'first'));
    await open().put(object('put', 'second'));
    expect(await textAt('put')).to.equal('second');
    expect(await open().get('nothing')).to.equal(undefined);
  });

  it('lists the keys of a prefix in order', async () => {
    for (const key of ['list/b', 'list/a/2', 'list/a/1', 'other']) await open().put(object(key, key));
    const keys: string[] = [];
    for await (const key of open().list('list/')) keys.push(key);
    expect(keys).to.deep.equal(['list/a/1', 'list/a/2', 'list/b']);
  });
}

describe('objects in memory', () => {
  const objects = createMemoryObjects();
  contract(() => objects);
});

describe('objects in S3', () => {
  let objects: Objects;
  let dataDir: string;
  let close: () => Promise<void>;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'weir-objects-'));
    const server = await startS3({ host: '127.0.0.1', port: 0, dataDir, region: 'local' });
    const client = new S3Client({
      region: 'local',
      endpoint: server.url,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    await client.send(new CreateBucketCommand({ Bucket: 'lake' }));
    objects = createS3Objects(client, 'lake');
    close = async () => {
      client.destroy();
      await server.close();
    };
  });
  after(async () => {
    await close();
    await rm(dataDir, { recursive: true });
  });
  contract(() => objects);
});
