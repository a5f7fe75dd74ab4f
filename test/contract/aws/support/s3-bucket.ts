import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { uniqueName } from './peers.ts';

export type Client = () => S3Client;

export async function newBucket(client: S3Client): Promise<string> {
  const Bucket = uniqueName('bucket');
  await client.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}
