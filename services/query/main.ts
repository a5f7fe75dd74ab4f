import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createDynamoLeaseStore } from '../../lib/leases/dynamo-lease-table.ts';
import { runService } from '../../lib/runtime/run-service.ts';
import { createAlertStore } from '../../lib/stores/alerts.ts';
import { createEventStore } from '../../lib/stores/events.ts';
import { createS3Objects } from '../../lib/stores/objects.ts';
import { createWindowStore } from '../../lib/stores/windows.ts';
import { createAwsKinesis, createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { auditRegularly } from './audit.ts';
import { query } from './config.ts';
import { type QueryPorts, queryRoutes } from './handler.ts';
import { statusReader, type WatchedConsumer } from './status.ts';

/** Workers in the order events travel; those after the router also read what the detector derives, where they say so. */
const readers = ['router', 'aggregator', 'alerter', 'detector', 'event-store', 'archiver'] as const;
const readersOfDerived: readonly string[] = ['event-store', 'archiver'];

/** A status page that waits longer than this is of no use. */
const leaseRequestMs = 5_000;

await runService(query, async ({ config, clock, log }) => {
  const region = config.AWS_REGION;
  const dynamodb = new DynamoDBClient({ region });
  const client = DynamoDBDocumentClient.from(dynamodb);
  const outbound = Object.values(config.OUTBOUND_STREAMS);
  const consumers = readers.map((consumer): WatchedConsumer => {
    const derived = readersOfDerived.includes(consumer) ? [config.DERIVED_STREAM] : [];
    return {
      consumer,
      leases: createDynamoLeaseStore({
        client: dynamodb,
        tableName: config.LEASE_TABLES[consumer] ?? '',
        requestMs: leaseRequestMs,
      }),
      streams: consumer === 'router' ? [config.INBOUND_STREAM] : [...outbound, ...derived],
    };
  });
  const kinesis = createAwsKinesis(createKinesisClient({ region }));
  const objects = createS3Objects(new S3Client({ region }), config.LAKE_BUCKET);
  const status = statusReader({ kinesis, clock, consumers });
  return {
    run: (signal) => auditRegularly({ status, clock, log }, signal),
    routes: queryRoutes({
      events: createEventStore({ client, table: config.EVENTS_TABLE, objects, clock }),
      windows: createWindowStore({ client, table: config.WINDOWS_TABLE, clock }),
      alerts: createAlertStore({ client, table: config.ALERTS_TABLE, clock }),
      status,
      pages: await loadPages(join(import.meta.dirname, 'dashboard')),
    }),
  };
});

async function loadPages(folder: string): Promise<QueryPorts['pages']> {
  const files = [
    ['/', 'index.html', 'text/html; charset=utf-8'],
    ['/dashboard.css', 'dashboard.css', 'text/css; charset=utf-8'],
    ['/dashboard.js', 'dashboard.js', 'text/javascript; charset=utf-8'],
  ] as const;
  const pages = await Promise.all(
    files.map(
      async ([path, file, type]) => [path, { type, body: await readFile(join(folder, file)) }] as const,
    ),
  );
  return new Map(pages);
}
