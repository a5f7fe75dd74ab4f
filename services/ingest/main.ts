import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { encodeJson } from '../../lib/event/codec-json.ts';
import { runService } from '../../lib/runtime/run-service.ts';
import { createIdempotencyTable } from '../../lib/stores/idempotency.ts';
import { createAwsKinesis, createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { createStampedWriter } from '../../lib/streams/stamped-writer.ts';
import { ingest } from './config.ts';
import { ingestRoutes } from './handler.ts';

await runService(ingest, async ({ config, clock, metrics, random }) => {
  const kinesis = createAwsKinesis(createKinesisClient({ region: config.AWS_REGION }));
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region: config.AWS_REGION }));
  const events = metrics.counter('ingest_events_total', 'Events by what became of them', ['outcome']);
  return {
    routes: ingestRoutes({
      stream: config.INBOUND_STREAM,
      writer: createStampedWriter({
        kinesis,
        stream: config.INBOUND_STREAM,
        source: `ingest/${randomUUID()}`,
        clock,
        random,
      }),
      idempotency: createIdempotencyTable(documents, config.IDEMPOTENCY_TABLE),
      clock,
      maxEventBytes: config.MAX_EVENT_BYTES,
      encode: encodeJson,
      onEvents: (outcome, count) => events.inc({ outcome }, count),
    }),
  };
});
