import { createRequire } from 'node:module';
import { join } from 'node:path';
import { nowMs } from '../fleet/clock.ts';
import type { WorkerMessage } from '../fleet/messages.ts';
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
let records = 0;
let bytes = 0;
const cpuAtStart = process.cpuUsage();
consumer.on('error', (error) => {
  process.stderr.write(`lifion-kinesis: ${error.message}\n`);
  process.exit(1);
});
consumer.on('data', (pushed) => {
  const before = records;
  for (const { data } of pushed.records) bytes += data.length;
  records += pushed.records.length;
  if (before < settings.usageAtRecords && records >= settings.usageAtRecords) tellUsage();
});
process.on('disconnect', () => process.exit(0));
tell({ type: 'running', atMs: nowMs() });
await consumer.startConsumer();

function tellUsage(): void {
  const { user, system } = process.cpuUsage(cpuAtStart);
  const peakBytes = process.resourceUsage().maxRSS * 1_024;
  const calls = { total: {}, perSecondMax: {}, perShardSecondMax: {} };
  const usage = { records, bytes, cpuMs: (user + system) / 1_000, peakBytes, calls };
  tell({ type: 'usage', atMs: nowMs(), usage });
}
