import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { ConsumerDiagnostic } from '../../lib/consumer/diagnostics.ts';
import type { ShardProcessor, StreamRecord } from '../../lib/consumer/processor.ts';
import { createConsumer } from '../../lib/consumer/run-consumer.ts';
import type { LeaseEvent } from '../../lib/leases/diagnostics.ts';
import { createDynamoLeaseStore } from '../../lib/leases/dynamo-lease-table.ts';
import { leaseRequestMs } from '../../lib/leases/timings.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { silentLog } from '../../lib/runtime/log.ts';
import { createAwsKinesis, createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { CallCounter, type CountedClient } from './call-counts.ts';
import { nowMs, sleep } from './clock.ts';
import type { WorkerMessage, WorkerSettings } from './messages.ts';
import { Meter } from './meter.ts';

/** A worker on the public API, as a process of its own. SIGTERM stops it in order; it ends with its parent. */
const settings = JSON.parse(process.argv[2] ?? '{}') as WorkerSettings;
const region = 'eu-central-1';
const kinesisClient = createKinesisClient({ region, endpoint: settings.kinesisUrl });
const dynamodb = new DynamoDBClient({ region, endpoint: settings.dynamodbUrl, maxAttempts: 3 });
const counter = new CallCounter();
for (const client of [kinesisClient, dynamodb]) counter.watch(client as unknown as CountedClient);

const meter = new Meter(settings.usageAtRecords);
const stop = new AbortController();

const tell = (message: WorkerMessage): void => void process.send?.(message);

const processor: ShardProcessor = {
  start: async () => {},
  process: async (batch, { shardId }) => {
    if (meter.records === 0) tell({ type: 'first-record', atMs: nowMs(), cpuMs: meter.cpuMs() });
    let bytes = 0;
    for (const record of batch) {
      if (settings.handlerMs > 0) await sleep(settings.handlerMs);
      bytes += record.data.length;
    }
    const reached = meter.add(batch.length, bytes);
    if (settings.tell === 'each') tellBatch(shardId, batch);
    if (reached) tellUsage();
  },
  flush: async () => ({}),
};

function tellBatch(shardId: string, batch: readonly StreamRecord[]): void {
  const sequenceNumbers = batch.map(({ position }) => position.sequenceNumber);
  tell({ type: 'delivered', atMs: nowMs(), shardId, sequenceNumbers });
}

function tellUsage(): void {
  tell({ type: 'usage', atMs: nowMs(), usage: meter.usage(counter.counts()) });
}

function onDiagnostic(diagnostic: ConsumerDiagnostic | LeaseEvent): void {
  const atMs = nowMs();
  if (diagnostic.type === 'shard-started' || diagnostic.type === 'shard-finished') {
    const holds = diagnostic.type === 'shard-started';
    tell({ type: 'shard', atMs, shardId: diagnostic.shardId, holds });
  }
  if (diagnostic.type === 'lease-lost') {
    const { leaseKey, reason } = diagnostic;
    tell({ type: 'lease-lost', atMs, leaseKey, reason });
  }
}

const { failoverMs = 10_000 } = settings.leases ?? {};
const consumer = createConsumer({
  application: 'bench',
  workerId: settings.workerId,
  streams: [settings.stream],
  kinesis: createAwsKinesis(kinesisClient),
  leaseStore: createDynamoLeaseStore({
    client: dynamodb,
    tableName: settings.table,
    requestMs: leaseRequestMs(failoverMs),
  }),
  processorFor: () => processor,
  deadLetters: { put: async ({ error }) => Promise.reject(new Error(error)) },
  clock: systemClock,
  log: silentLog,
  onDiagnostic,
  ...(settings.options ? { options: settings.options } : {}),
  ...(settings.leases ? { leases: settings.leases } : {}),
});

process.on('SIGTERM', () => stop.abort());
process.on('disconnect', () => process.exit(1));
process.on('message', tellUsage);
tell({ type: 'running', atMs: nowMs() });
meter.begin();
await consumer.run(stop.signal);
kinesisClient.destroy();
dynamodb.destroy();
// What was told is on its way: the process ends once the parent has all of it.
process.removeAllListeners('disconnect');
process.disconnect();
