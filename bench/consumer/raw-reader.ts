import { createAwsKinesis, createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { nowMs } from '../fleet/clock.ts';
import type { WorkerMessage, WorkerSettings } from '../fleet/messages.ts';
import { Meter } from '../fleet/meter.ts';

/** GetRecords through our port to Kinesis and nothing else: what no consumer on it can beat. */
const settings = JSON.parse(process.argv[2] ?? '{}') as WorkerSettings;
const { stream, usageAtRecords = 0 } = settings;
const client = createKinesisClient({ region: 'eu-central-1', endpoint: settings.kinesisUrl });
const kinesis = createAwsKinesis(client);
const tell = (message: WorkerMessage): void => void process.send?.(message);
const recordsPerRead = 10_000;

process.on('disconnect', () => process.exit(0));
tell({ type: 'running', atMs: nowMs() });
const meter = new Meter(usageAtRecords);
meter.begin();

async function readShard(shardId: string): Promise<void> {
  let iterator: string | undefined = await kinesis.iterator(stream, shardId, { type: 'TRIM_HORIZON' });
  for (let lagMs = 1; lagMs > 0 && iterator !== undefined; ) {
    const page = await kinesis.read(stream, iterator, recordsPerRead);
    let bytes = 0;
    for (const { data } of page.records) bytes += data.length;
    meter.add(page.records.length, bytes);
    iterator = page.nextIterator;
    lagMs = page.millisBehindLatest;
  }
}

const shards = await kinesis.listShards(stream);
await Promise.all(shards.map(({ shardId }) => readShard(shardId)));
if (meter.records < usageAtRecords) throw new Error(`Read ${meter.records} records of ${usageAtRecords}`);
tell({ type: 'usage', atMs: nowMs(), usage: meter.usage() });
