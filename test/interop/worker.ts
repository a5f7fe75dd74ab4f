// A worker of ours for a mixed fleet: prints what it is given. Its settings are environment variables (fleet.ts).
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DeadLetters } from '../../lib/consumer/dead-letters.ts';
import type { ShardProcessor } from '../../lib/consumer/processor.ts';
import { createConsumer } from '../../lib/consumer/run-consumer.ts';
import { createDynamoLeaseStore } from '../../lib/leases/dynamo-lease-table.ts';
import { createDynamoKclTables } from '../../lib/leases/kcl3/dynamo-kcl-tables.ts';
import { leaseRequestMs } from '../../lib/leases/timings.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createLog } from '../../lib/runtime/log.ts';
import { createAwsKinesis, createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { printLine } from './lines.ts';

const { env } = process;
const worker = setting('INTEROP_WORKER');
const region = setting('AWS_REGION');
const failoverMs = Number(setting('INTEROP_FAILOVER_MS'));

const client = new DynamoDBClient({ region, endpoint: setting('INTEROP_DYNAMODB') });
const tableName = setting('INTEROP_TABLE');
const requestMs = leaseRequestMs(failoverMs);

const noDeadLetters: DeadLetters = {
  put: async (letter) => {
    throw new Error(`Printing a record cannot fail, but it did: ${letter.error}`);
  },
};

function printing(shard: string): ShardProcessor {
  return {
    start: async ({ checkpoint }) =>
      printLine(worker, { event: 'begin', shard, from: checkpoint?.sequenceNumber ?? 'none' }),
    process: async (records) =>
      printLine(worker, {
        event: 'batch',
        shard,
        records: records.map(({ partitionKey, position }) => [partitionKey, position.sequenceNumber]),
      }),
    flush: async () => ({}),
    stop: async (why) => printLine(worker, { event: 'end', shard, why }),
  };
}

function setting(name: string): string {
  const value = env[name];
  if (value === undefined) throw new Error(`Set ${name}`);
  return value;
}

const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
printLine(worker, { event: 'started' });
await createConsumer({
  application: 'interop',
  workerId: worker,
  streams: [setting('INTEROP_STREAM')],
  kinesis: createAwsKinesis(createKinesisClient({ region, endpoint: setting('INTEROP_KINESIS') })),
  leaseStore: createDynamoLeaseStore({ client, tableName, requestMs }),
  kclTables: createDynamoKclTables({ client, leaseTable: tableName, application: tableName, requestMs }),
  processorFor: (_stream, shard) => printing(shard),
  deadLetters: noDeadLetters,
  clock: systemClock,
  log: createLog('info', { worker }),
  options: { pollMs: 500, checkpointMs: 1_000 },
  leases: { failoverMs, stopMs: 15_000 },
}).run(stopping.signal);
printLine(worker, { event: 'stopped', how: 'graceful' });
process.exit(0);
