import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetSchemaCommand, GlueClient } from '@aws-sdk/client-glue';
import { DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect } from 'chai';
import { tableNames, tables } from '../../lib/stores/tables.ts';
import { startDynamoDb } from '../../local/dynamodb.ts';
import { startGlue } from '../../local/glue/server.ts';
import { startKinesis } from '../../local/kinesis/server.ts';
import type { StandIn } from '../../local/listen.ts';
import { localAccountId, localBusQueueUrl, localNames, localRegion } from '../../local/names.ts';
import { startS3 } from '../../local/s3/server.ts';
import { seed, type SeedOptions } from '../../local/seed.ts';
import { startSqs } from '../../local/sqs.ts';

const at = { host: '127.0.0.1', port: 0 } as const;
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const { signal } = new AbortController();

describe('seeding the laptop cloud', () => {
  let folder: string;
  let standIns: readonly StandIn[];
  let options: SeedOptions;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-seed-'));
    const dataDir = join(folder, 'data');
    const flowDir = join(folder, 'flow');
    await mkdir(join(flowDir, 'schemas'), { recursive: true });
    const [kinesis, dynamodb, sqs, s3, glue] = await Promise.all([
      startKinesis({ ...at, region: localRegion, accountId: localAccountId, limits: 'off' }),
      startDynamoDb(at),
      startSqs(at),
      startS3({ ...at, dataDir, region: localRegion }),
      startGlue({ ...at, region: localRegion, accountId: localAccountId }),
    ]);
    standIns = [kinesis, dynamodb, sqs, s3, glue];
    const endpoints = {
      kinesis: kinesis.url,
      dynamodb: dynamodb.url,
      sqs: sqs.url,
      s3: s3.url,
      glue: glue.url,
    };
    const names = localNames(['city', 'user'], localBusQueueUrl(sqs.url));
    options = { endpoints, names, shards: { inbound: 3, outbound: 2, derived: 1 }, flowDir };
  });

  afterEach(async () => {
    await Promise.all(standIns.map((standIn) => standIn.close()));
    await rm(folder, { recursive: true });
  });

  const client = <T>(service: keyof SeedOptions['endpoints'], make: new (config: object) => T): T =>
    new make({ region: localRegion, credentials, endpoint: options.endpoints[service] });

  async function schemaFile(name: string, fields: readonly object[]): Promise<void> {
    const schema = { type: 'record', name: 'Reading', namespace: 'weir', fields };
    await writeFile(join(options.flowDir, 'schemas', `${name}.avsc`), JSON.stringify(schema));
  }

  it('creates every table of the platform, active, on demand, with its keys and indexes', async () => {
    await seed(options, signal);
    const dynamodb = client('dynamodb', DynamoDBClient);
    for (const name of tableNames) {
      const { Table } = await dynamodb.send(
        new DescribeTableCommand({ TableName: options.names.table(name) }),
      );
      expect(Table?.TableStatus).to.equal('ACTIVE');
      expect(Table?.BillingModeSummary?.BillingMode).to.equal('PAY_PER_REQUEST');
      expect(Table?.KeySchema?.[0]?.AttributeName).to.equal(tables[name].hash);
      const indexes = Table?.GlobalSecondaryIndexes?.map((index) => index.IndexName) ?? [];
      expect(indexes).to.have.members(tables[name].indexes.map((index) => index.name));
    }
  });

  it('creates each stream with the shards that were asked for', async () => {
    await seed(options, signal);
    const kinesis = client('kinesis', KinesisClient);
    const shards = async (StreamName: string): Promise<number | undefined> => {
      const { StreamDescriptionSummary: summary } = await kinesis.send(
        new DescribeStreamSummaryCommand({ StreamName }),
      );
      expect(summary?.StreamStatus).to.equal('ACTIVE');
      return summary?.OpenShardCount;
    };
    const { inboundStream, derivedStream, outboundStreams } = options.names;
    expect(await shards(inboundStream)).to.equal(3);
    expect(await shards(derivedStream)).to.equal(1);
    const { city = '', user = '' } = JSON.parse(outboundStreams) as Record<string, string>;
    expect([await shards(city), await shards(user)]).to.deep.equal([2, 2]);
    kinesis.destroy();
  });

  it('creates the lake, and a bus whose undeliverable messages go to a dead-letter queue', async () => {
    await seed(options, signal);
    await client('s3', S3Client).send(new HeadBucketCommand({ Bucket: options.names.lakeBucket }));
    const { Attributes } = await client('sqs', SQSClient).send(
      new GetQueueAttributesCommand({
        QueueUrl: options.names.busQueueUrl,
        AttributeNames: ['RedrivePolicy'],
      }),
    );
    const policy = JSON.parse(Attributes?.RedrivePolicy ?? '{}') as { readonly deadLetterTargetArn?: string };
    expect(policy.deadLetterTargetArn).to.match(/:weir-local-bus-dead-letters$/);
  });

  it('registers every schema of the flow under the name of its file, and a changed one as the next version', async () => {
    await schemaFile('reading', [{ name: 'id', type: 'string' }]);
    await copyFile('flow/schemas/event.avsc', join(options.flowDir, 'schemas', 'event.avsc'));
    await seed(options, signal);
    await schemaFile('reading', [
      { name: 'id', type: 'string' },
      { name: 'unit', type: 'string', default: '' },
    ]);
    await seed(options, signal);
    const glue = client('glue', GlueClient);
    const latest = async (SchemaName: string) => {
      const SchemaId = { RegistryName: options.names.schemaRegistry, SchemaName };
      const schema = await glue.send(new GetSchemaCommand({ SchemaId }));
      return [schema.LatestSchemaVersion, schema.Compatibility, schema.DataFormat];
    };
    expect(await latest('reading')).to.deep.equal([2, 'BACKWARD', 'AVRO']);
    expect(await latest('event')).to.deep.equal([1, 'BACKWARD', 'AVRO']);
  });

  it('names the file of a schema that cannot read what its earlier version wrote', async () => {
    await schemaFile('reading', [{ name: 'id', type: 'string' }]);
    await seed(options, signal);
    await schemaFile('reading', [{ name: 'unit', type: 'string' }]);
    const refused = await seed(options, signal).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(refused).to.match(/reading\.avsc cannot read what its earlier versions wrote/);
  });

  it('leaves everything as it is when it runs again', async () => {
    await seed(options, signal);
    await seed({ ...options, shards: { inbound: 1, outbound: 1, derived: 1 } }, signal);
    const kinesis = client('kinesis', KinesisClient);
    const StreamName = options.names.inboundStream;
    const { StreamDescriptionSummary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
    expect(StreamDescriptionSummary?.OpenShardCount).to.equal(3);
    kinesis.destroy();
  });

  it('names everything that could not be made when a stand-in is missing', async () => {
    const nowhere = { ...options, endpoints: { ...options.endpoints, sqs: 'http://127.0.0.1:9' } };
    const failure = await seed(nowhere, signal).then(
      () => undefined,
      (error: Error & { readonly code?: string }) => [error.code, error.message.split('\n').length],
    );
    expect(failure).to.deep.equal(['seed', 2]);
  });
});
