import { createRequire } from 'node:module';
import { join } from 'node:path';
import { nowMs } from '../fleet/clock.ts';
import type { WorkerMessage } from '../fleet/messages.ts';
import { Meter } from '../fleet/meter.ts';
import type { PeerSettings } from './peer.ts';

/** The peer on the same stream, as a process of its own, with its own defaults for polling. */
const settings = JSON.parse(process.argv[2] ?? '{}') as PeerSettings;

interface LifionKinesis {
  readonly on: {
    (event: 'data', hear: (pushed: Pushed) => void): void;
    (event: 'error', hear: (error: Error) => void): void;
  };
  readonly startConsumer: () => Promise<void>;
}
interface Pushed {
  readonly records: readonly { readonly data: { readonly length: number } }[];
}
type Lifion = new (options: object) => LifionKinesis;

const Kinesis = createRequire(join(settings.folder, 'package.json'))('lifion-kinesis') as Lifion;
const region = 'eu-central-1';
const consumer = new Kinesis({
  streamName: settings.stream,
  region,
  endpoint: settings.kinesisUrl,
  dynamoDb: { region, endpoint: settings.dynamodbUrl, tableName: settings.table },
  consumerGroup: 'bench',
  createStreamIfNeeded: false,
  initialPositionInStream: 'TRIM_HORIZON',
  // Handlers of both sides only count bytes: no JSON on either.
  shouldParseJson: false,
});

const tell = (message: WorkerMessage): void => void process.send?.(message);
const meter = new Meter(settings.usageAtRecords);
meter.begin();
consumer.on('error', (error) => {
  process.stderr.write(`lifion-kinesis: ${error.message}\n`);
  process.exit(1);
});
consumer.on('data', (pushed) => {
  let bytes = 0;
  for (const { data } of pushed.records) bytes += data.length;
  if (meter.add(pushed.records.length, bytes)) tell({ type: 'usage', atMs: nowMs(), usage: meter.usage() });
});
process.on('disconnect', () => process.exit(0));
tell({ type: 'running', atMs: nowMs() });
await consumer.startConsumer();
