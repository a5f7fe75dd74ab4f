import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { contractRegion, refusal, refusalName, type Rule } from './peers.ts';
import { type Client, newBucket } from './s3-bucket.ts';

async function putAll(client: S3Client, Bucket: string, keys: readonly string[]): Promise<void> {
  const atOnce = 50;
  for (let at = 0; at < keys.length; at += atOnce) {
    const batch = keys.slice(at, at + atOnce);
    await Promise.all(batch.map((Key) => client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))));
  }
}

async function list(client: S3Client, Bucket: string, more: Partial<ListObjectsV2CommandInput> = {}) {
  const page = await client.send(new ListObjectsV2Command({ Bucket, ...more }));
  return {
    keys: page.Contents?.map((object) => object.Key) ?? [],
    prefixes: page.CommonPrefixes?.map((common) => common.Prefix) ?? [],
    count: page.KeyCount,
    token: page.NextContinuationToken,
    isTruncated: page.IsTruncated,
  };
}

export function buckets(rule: Rule, client: Client): void {
  rule('creates a bucket, finds it, tells its region and lists it', async () => {
    const Bucket = await newBucket(client());
    await client().send(new HeadBucketCommand({ Bucket }));
    const { LocationConstraint } = await client().send(new GetBucketLocationCommand({ Bucket }));
    expect(LocationConstraint).to.equal(contractRegion);
    const { Buckets = [] } = await client().send(new ListBucketsCommand({}));
    expect(Buckets.map((bucket) => bucket.Name)).to.include(Bucket);
  });

  rule('refuses to create a bucket again', async () => {
    const Bucket = await newBucket(client());
    const again = client().send(new CreateBucketCommand({ Bucket }));
    expect(await refusal(again)).to.include({ name: 'BucketAlreadyOwnedByYou', status: 409 });
  });

  rule('refuses a name that no bucket may have', async () => {
    const create = client().send(new CreateBucketCommand({ Bucket: 'Contract_Bucket' }));
    expect(await refusalName(create)).to.equal('InvalidBucketName');
  });

  rule('deletes a bucket only when it is empty', async () => {
    const Bucket = await newBucket(client());
    await client().send(new PutObjectCommand({ Bucket, Key: 'a/b', Body: 'x' }));
    const early = client().send(new DeleteBucketCommand({ Bucket }));
    expect(await refusal(early)).to.include({ name: 'BucketNotEmpty', status: 409 });
    await client().send(new DeleteObjectCommand({ Bucket, Key: 'a/b' }));
    await client().send(new DeleteBucketCommand({ Bucket }));
    expect((await refusal(client().send(new HeadBucketCommand({ Bucket })))).status).to.equal(404);
  });
}

export function listings(rule: Rule, client: Client): void {
  rule('lists 1,100 keys in two pages, in order and without a gap', async () => {
    const Bucket = await newBucket(client());
    const keys = Array.from({ length: 1_100 }, (_, at) => `day=1/${String(at).padStart(4, '0')}`);
    await putAll(client(), Bucket, keys);
    const first = await list(client(), Bucket);
    expect(first).to.include({ count: 1_000, isTruncated: true });
    const second = await list(client(), Bucket, { ContinuationToken: first.token });
    expect(second).to.include({ count: 100, isTruncated: false });
    expect([...first.keys, ...second.keys]).to.deep.equal(keys);
  });

  rule('lists below a prefix, and behind a key', async () => {
    const Bucket = await newBucket(client());
    await putAll(client(), Bucket, ['a/1', 'a/2', 'ab', 'b/1']);
    expect((await list(client(), Bucket, { Prefix: 'a/' })).keys).to.deep.equal(['a/1', 'a/2']);
    expect((await list(client(), Bucket, { StartAfter: 'a/2' })).keys).to.deep.equal(['ab', 'b/1']);
    expect((await list(client(), Bucket, { Prefix: 'nothing' })).count).to.equal(0);
  });

  rule('rolls keys up to common prefixes, each counted once and never split over pages', async () => {
    const Bucket = await newBucket(client());
    await putAll(client(), Bucket, ['a/1', 'a/2', 'b', 'c/1', 'c/2', 'd']);
    const whole = await list(client(), Bucket, { Delimiter: '/' });
    expect(whole).to.deep.include({ keys: ['b', 'd'], prefixes: ['a/', 'c/'], count: 4 });
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await list(client(), Bucket, { Delimiter: '/', MaxKeys: 1, ContinuationToken });
      seen.push(...page.prefixes, ...page.keys);
      ContinuationToken = page.token;
    } while (ContinuationToken !== undefined);
    expect(seen).to.deep.equal(['a/', 'b', 'c/', 'd']);
  });

  rule('encodes names in a listing when asked to', async () => {
    const Bucket = await newBucket(client());
    await putAll(client(), Bucket, ['dir/ä b+c']);
    const { keys } = await list(client(), Bucket, { EncodingType: 'url' });
    expect(keys).to.have.lengthOf(1);
    expect(keys[0]).to.match(/^dir\/%C3%A4(%20|\+)b%2Bc$/);
  });

  rule('refuses to list a bucket that is not there', async () => {
    expect(await refusalName(list(client(), 'contract-no-bucket'))).to.equal('NoSuchBucket');
  });
}

export function deletions(rule: Rule, client: Client): void {
  rule('deletes what is there, and takes the deletion of nothing for done', async () => {
    const Bucket = await newBucket(client());
    await putAll(client(), Bucket, ['k']);
    for (const Key of ['k', 'k', 'never']) await client().send(new DeleteObjectCommand({ Bucket, Key }));
    const head = client().send(new HeadObjectCommand({ Bucket, Key: 'k' }));
    expect((await refusal(head)).status).to.equal(404);
  });

  rule('deletes many keys at once, the missing and the odd ones among them', async () => {
    const Bucket = await newBucket(client());
    const keys = ['a', 'a/b', 'x&<y>"', 'ünï'];
    await putAll(client(), Bucket, [...keys, 'stays']);
    const Objects = [...keys, 'never'].map((Key) => ({ Key }));
    const { Deleted = [] } = await client().send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted.map((object) => object.Key)).to.have.members([...keys, 'never']);
    expect((await list(client(), Bucket)).keys).to.deep.equal(['stays']);
  });

  rule('says nothing of deleted keys when asked to be quiet', async () => {
    const Bucket = await newBucket(client());
    await putAll(client(), Bucket, ['k']);
    const Delete = { Objects: [{ Key: 'k' }], Quiet: true };
    const { Deleted = [] } = await client().send(new DeleteObjectsCommand({ Bucket, Delete }));
    expect(Deleted).to.deep.equal([]);
    expect((await list(client(), Bucket)).count).to.equal(0);
  });
}
