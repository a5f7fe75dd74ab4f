import { setMaxListeners } from 'node:events';
import { basename, join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GlueClient } from '@aws-sdk/client-glue';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { type BucketLocationConstraint, CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { messageOf, PlatformError } from '../lib/runtime/errors.ts';
import type { PlatformNames } from '../services/catalogue.ts';
import { createRegistry } from './seeding/schemas.ts';
import { unlessThere } from './seeding/steps.ts';
import { type ShardCounts, streamSteps } from './seeding/streams.ts';
import { tableSteps } from './seeding/tables.ts';

/** Where each stand-in listens, as URLs. */
export interface Endpoints {
  readonly kinesis: string;
  readonly dynamodb: string;
  readonly sqs: string;
  readonly s3: string;
  readonly glue: string;
}

export interface SeedOptions {
  readonly endpoints: Endpoints;
  readonly names: PlatformNames;
  readonly shards: ShardCounts;
  /** The folder that holds schemas/*.avsc. */
  readonly flowDir: string;
}

/** Deliveries of one message before the queue sets it aside; as in the deployment. */
const maxReceiveCount = 5;

/**
 * Creates what the platform is made of: tables, streams, the lake, the bus with its dead-letter queue, the schema
 * registry with every schema. What is already there is left as it is, so it can run on kept data.
 * @throws PlatformError `seed`, naming each thing that could not be made
 */
export async function seed(options: SeedOptions, stop: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stop]);
  // Every request under way listens to it; Node warns of a leak from the eleventh on.
  setMaxListeners(0, signal);
  const clients = connect(options);
  const registry = options.names.schemaRegistry;
  const schemas = join(options.flowDir, 'schemas');
  const steps = [
    ...tableSteps(clients.dynamodb, options.names, signal),
    ...streamSteps(clients.kinesis, options.names, options.shards, signal),
    { what: `bucket ${options.names.lakeBucket}`, done: createBucket(clients.s3, options.names, signal) },
    { what: `queue ${options.names.busQueueUrl}`, done: createBus(clients.sqs, options.names, signal) },
    { what: `registry ${registry}`, done: createRegistry(clients.glue, registry, schemas, signal) },
  ];
  const outcomes = await Promise.allSettled(steps.map((step) => step.done));
  for (const client of Object.values(clients)) client.destroy();
  const failures = outcomes.flatMap((outcome, at) =>
    outcome.status === 'rejected' ? [{ what: steps[at]?.what, reason: outcome.reason as unknown }] : [],
  );
  if (failures.length === 0) return;
  const lines = failures.map((failure) => `  - ${failure.what}: ${messageOf(failure.reason)}`);
  throw new PlatformError('seed', `The local platform could not be set up:\n${lines.join('\n')}`, {
    cause: failures[0]?.reason,
  });
}

function connect({ endpoints, names }: SeedOptions) {
  const common = { region: names.region, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  return {
    dynamodb: new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb }),
    kinesis: new KinesisClient({ ...common, endpoint: endpoints.kinesis }),
    s3: new S3Client({ ...common, endpoint: endpoints.s3, forcePathStyle: true }),
    sqs: new SQSClient({ ...common, endpoint: endpoints.sqs }),
    glue: new GlueClient({ ...common, endpoint: endpoints.glue }),
  };
}

async function createBucket(client: S3Client, names: PlatformNames, signal: AbortSignal): Promise<void> {
  const command = new CreateBucketCommand({
    Bucket: names.lakeBucket,
    CreateBucketConfiguration: { LocationConstraint: names.region as BucketLocationConstraint },
  });
  await unlessThere('BucketAlreadyOwnedByYou', client.send(command, { abortSignal: signal }));
}

async function createBus(client: SQSClient, names: PlatformNames, signal: AbortSignal): Promise<void> {
  const bus = basename(new URL(names.busQueueUrl).pathname);
  const options = { abortSignal: signal };
  const deadLetters = await client.send(
    new CreateQueueCommand({ QueueName: `${bus}-dead-letters` }),
    options,
  );
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetters.QueueUrl, AttributeNames: ['QueueArn'] }),
    options,
  );
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount });
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: bus }), options);
  await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { RedrivePolicy } }), options);
}
