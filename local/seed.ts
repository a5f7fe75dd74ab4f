import { setMaxListeners } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  CreateTableCommand,
  type CreateTableInput,
  DescribeTableCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import {
  CreateRegistryCommand,
  CreateSchemaCommand,
  GlueClient,
  RegisterSchemaVersionCommand,
} from '@aws-sdk/client-glue';
import { CreateStreamCommand, DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { type BucketLocationConstraint, CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { systemClock } from '../lib/runtime/clock.ts';
import { messageOf, nameOf, PlatformError } from '../lib/runtime/errors.ts';
import { type TableDefinition, tableNames, tables } from '../lib/stores/tables.ts';
import type { PlatformNames } from '../services/catalogue.ts';

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
  /** Shards of the inbound stream, of each outbound stream and of the derived stream. */
  readonly shards: { readonly inbound: number; readonly outbound: number; readonly derived: number };
  /** The folder that holds schemas/*.avsc. */
  readonly flowDir: string;
}

/** Deliveries of one message before the queue sets it aside; as in the deployment. */
const maxReceiveCount = 5;
/** Stand-ins become active within milliseconds; this only bounds the wait for one that never does. */
const activeWithinMs = 15_000;
const activeCheckMs = 20;

interface Step {
  readonly what: string;
  readonly done: Promise<unknown>;
}

/**
 * Creates what the platform is made of: tables, streams, the lake, the bus with its dead-letter queue, the schema
 * registry with every schema. What is already there is left as it is, so it can run on kept data.
 * (Expiry is not set: dynalite has no UpdateTimeToLive and removes nothing.)
 * @throws PlatformError `seed`, naming each thing that could not be made
 */
export async function seed(options: SeedOptions, stop: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stop]);
  // Every request under way listens to it; Node warns of a leak from the eleventh on.
  setMaxListeners(0, signal);
  const clients = connect(options);
  const steps = [
    ...tableSteps(clients.dynamodb, options.names, signal),
    ...streamSteps(clients.kinesis, options, signal),
    { what: `bucket ${options.names.lakeBucket}`, done: createBucket(clients.s3, options.names, signal) },
    { what: `queue ${options.names.busQueueUrl}`, done: createBus(clients.sqs, options.names, signal) },
    { what: `registry ${options.names.schemaRegistry}`, done: createRegistry(clients.glue, options, signal) },
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

function tableSteps(client: DynamoDBClient, names: PlatformNames, signal: AbortSignal): readonly Step[] {
  return tableNames.map((name) => {
    const TableName = names.table(name);
    const create = async (): Promise<void> => {
      const command = new CreateTableCommand(tableInput(TableName, tables[name]));
      await unlessThere('ResourceInUseException', client.send(command, { abortSignal: signal }));
      await untilActive(async () => {
        const described = await client.send(new DescribeTableCommand({ TableName }), { abortSignal: signal });
        return described.Table?.TableStatus;
      }, signal);
    };
    return { what: `table ${TableName}`, done: create() };
  });
}

/** A table of the platform as CreateTable wants it, on demand. */
export function tableInput(TableName: string, definition: TableDefinition): CreateTableInput {
  const keySchema = (key: { readonly hash: string; readonly range?: string }) => [
    { AttributeName: key.hash, KeyType: 'HASH' as const },
    ...(key.range === undefined ? [] : [{ AttributeName: key.range, KeyType: 'RANGE' as const }]),
  ];
  const indexes = definition.indexes.map((index) => ({
    IndexName: index.name,
    KeySchema: keySchema(index),
    Projection: { ProjectionType: index.projection },
  }));
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keySchema(definition),
    AttributeDefinitions: Object.entries(definition.keys).map(([AttributeName, AttributeType]) => ({
      AttributeName,
      AttributeType,
    })),
    ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexes: indexes }),
  };
}

function streamSteps(client: KinesisClient, options: SeedOptions, signal: AbortSignal): readonly Step[] {
  const { names, shards } = options;
  const outbound = Object.values(JSON.parse(names.outboundStreams) as Record<string, string>);
  const wanted: readonly (readonly [name: string, shardCount: number])[] = [
    [names.inboundStream, shards.inbound],
    ...outbound.map((name) => [name, shards.outbound] as const),
    [names.derivedStream, shards.derived],
  ];
  return wanted.map(([StreamName, ShardCount]) => {
    const create = async (): Promise<void> => {
      const command = new CreateStreamCommand({ StreamName, ShardCount });
      await unlessThere('ResourceInUseException', client.send(command, { abortSignal: signal }));
      await untilActive(async () => {
        const described = await client.send(new DescribeStreamSummaryCommand({ StreamName }), {
          abortSignal: signal,
        });
        return described.StreamDescriptionSummary?.StreamStatus;
      }, signal);
    };
    return { what: `stream ${StreamName}`, done: create() };
  });
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

async function createRegistry(client: GlueClient, options: SeedOptions, signal: AbortSignal): Promise<void> {
  const RegistryName = options.names.schemaRegistry;
  const create = client.send(new CreateRegistryCommand({ RegistryName }), { abortSignal: signal });
  await unlessThere('AlreadyExistsException', create);
  const folder = join(options.flowDir, 'schemas');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.avsc'));
  await Promise.all(files.map((file) => registerSchema(client, RegistryName, join(folder, file), signal)));
}

/** The schema's name is the file's, without `.avsc`. A changed file becomes the next version, if it is compatible. */
async function registerSchema(
  client: GlueClient,
  RegistryName: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const SchemaName = basename(file, '.avsc');
  const SchemaDefinition = await readFile(file, 'utf8');
  const create = new CreateSchemaCommand({
    RegistryId: { RegistryName },
    SchemaName,
    DataFormat: 'AVRO',
    Compatibility: 'BACKWARD',
    SchemaDefinition,
  });
  if (await unlessThere('AlreadyExistsException', client.send(create, { abortSignal: signal }))) return;
  const SchemaId = { RegistryName, SchemaName };
  const register = new RegisterSchemaVersionCommand({ SchemaId, SchemaDefinition });
  const { Status, VersionNumber } = await client.send(register, { abortSignal: signal });
  if (Status === 'FAILURE') {
    const message = `${file} cannot read what its earlier versions wrote (version ${VersionNumber} was refused): give new fields a default, or start with new data`;
    throw new PlatformError('schema-incompatible', message);
  }
}

/** True when `made` made something, false when it failed with `alreadyThere`. */
async function unlessThere(alreadyThere: string, made: Promise<unknown>): Promise<boolean> {
  try {
    await made;
    return true;
  } catch (error) {
    if (nameOf(error) === alreadyThere) return false;
    throw error;
  }
}

async function untilActive(status: () => Promise<string | undefined>, signal: AbortSignal): Promise<void> {
  const deadline = systemClock.monotonic() + activeWithinMs;
  for (;;) {
    const now = await status();
    if (now === 'ACTIVE') return;
    signal.throwIfAborted();
    if (systemClock.monotonic() > deadline) {
      throw new PlatformError('seed', `is still ${now} after ${activeWithinMs} ms`, { retryable: true });
    }
    await systemClock.sleep(activeCheckMs, signal);
  }
}
