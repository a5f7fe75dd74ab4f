import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegisterStreamConsumerCommand } from '@aws-sdk/client-kinesis';
import { atLeast, atMost, report, result, type BenchReport, type Progress, type Result } from './report.ts';
import { createStream, emptyReads, putAll, readAll, STREAM, subscribeAll } from './stand-in/load.ts';
import { RawClient } from './stand-in/raw-client.ts';
import { sdkClient, sdkPutAll, sdkReadAll, sdkSubscribeAll } from './stand-in/sdk-load.ts';
import { startKinesisLocal, startOwn, type RunningServer } from './stand-in/servers.ts';

/** The question: is our Kinesis ever the bottleneck, and how does it compare with the one from npm? */
const RUNS = 3;
const CONNECTIONS = 4;
const OWN_RECORDS = 200_000;
const SDK_RECORDS = 40_000;
/** kinesis-local hashes everything it holds for each record that is put, so more would take minutes. */
const KINESIS_LOCAL_RECORDS = 3_000;
const EMPTY_READS = 300;

const WANTED_RECORDS_PER_SECOND = 100_000;
const WANTED_EMPTY_READ_MS = 5;

/** Numbers of one run by metric. */
type Run = Readonly<Record<string, number>>;

export async function run(progress: Progress): Promise<BenchReport> {
  const runs: Run[] = [];
  for (let i = 1; i <= RUNS; i += 1) {
    progress(`run ${i} of ${RUNS}: ours`);
    const own = {
      ...(await rawRun('ours', startOwn, OWN_RECORDS)),
      ...(await journalRun()),
      ...(await sdkRun()),
    };
    progress(`run ${i} of ${RUNS}: kinesis-local`);
    runs.push({ ...own, ...(await rawRun('kinesis-local', startKinesisLocal, KINESIS_LOCAL_RECORDS)) });
  }
  const results = metrics.map(({ metric, unit, note }) =>
    result(
      metric,
      unit,
      runs.map((of) => of[metric] ?? Number.NaN),
      note,
    ),
  );
  return report('stand-in', results, targetsOf(results));
}

/** A fresh server each time, so that no run finds what an earlier one left. */
async function rawRun(name: string, start: () => Promise<RunningServer>, records: number): Promise<Run> {
  const server = await start();
  const client = new RawClient(server.url, CONNECTIONS);
  try {
    await createStream(client);
    const put = await putAll(client, records);
    const get = await readAll(client, records);
    const empty = (await emptyReads(client, EMPTY_READS)).toSorted((a, b) => a - b);
    const subscribe = await subscribeAll(client, records);
    return {
      [`${name}: PutRecords`]: put,
      [`${name}: GetRecords`]: get,
      [`${name}: SubscribeToShard`]: subscribe,
      [`${name}: empty GetRecords, p50`]: empty[Math.floor(empty.length * 0.5)] ?? Number.NaN,
      [`${name}: empty GetRecords, p99`]: empty[Math.floor(empty.length * 0.99)] ?? Number.NaN,
    };
  } finally {
    client.close();
    await server.stop();
  }
}

async function journalRun(): Promise<Run> {
  const dataDir = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const server = await startOwn(dataDir);
  const client = new RawClient(server.url, CONNECTIONS);
  try {
    await createStream(client);
    return { 'ours, kept on disk: PutRecords': await putAll(client, OWN_RECORDS) };
  } finally {
    client.close();
    await server.stop();
    rmSync(dataDir, { recursive: true });
  }
}

async function sdkRun(): Promise<Run> {
  const server = await startOwn();
  const raw = new RawClient(server.url, 1);
  const client = sdkClient(server.url);
  try {
    await createStream(raw);
    const StreamARN = `arn:aws:kinesis:eu-central-1:000000000000:stream/${STREAM}`;
    const { Consumer } = await client.send(
      new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'bench' }),
    );
    return {
      'ours through the SDK: PutRecords': await sdkPutAll(client, SDK_RECORDS),
      'ours through the SDK: GetRecords': await sdkReadAll(client, SDK_RECORDS),
      'ours through the SDK: SubscribeToShard': await sdkSubscribeAll(
        client,
        Consumer?.ConsumerARN ?? '',
        SDK_RECORDS,
      ),
    };
  } finally {
    client.destroy();
    raw.close();
    await server.stop();
  }
}

const RATE = 'records/s';
const own = `${OWN_RECORDS} records of 300 B, 500 per call, one shard, bare HTTP/1.1 client in another process`;
const local = `only ${KINESIS_LOCAL_RECORDS} records: it slows down with every record that it holds`;
const sdk = `${SDK_RECORDS} records; the SDK's own work is most of it`;

const metrics: readonly Pick<Result, 'metric' | 'unit' | 'note'>[] = [
  { metric: 'ours: PutRecords', unit: RATE, note: own },
  { metric: 'kinesis-local: PutRecords', unit: RATE, note: local },
  { metric: 'ours: GetRecords', unit: RATE, note: own },
  { metric: 'kinesis-local: GetRecords', unit: RATE, note: local },
  { metric: 'ours: SubscribeToShard', unit: RATE, note: own },
  { metric: 'kinesis-local: SubscribeToShard', unit: RATE, note: `${local}; it looks once a second` },
  { metric: 'ours: empty GetRecords, p50', unit: 'ms' },
  { metric: 'ours: empty GetRecords, p99', unit: 'ms' },
  { metric: 'kinesis-local: empty GetRecords, p50', unit: 'ms' },
  { metric: 'kinesis-local: empty GetRecords, p99', unit: 'ms' },
  { metric: 'ours, kept on disk: PutRecords', unit: RATE, note: own },
  { metric: 'ours through the SDK: PutRecords', unit: RATE, note: sdk },
  { metric: 'ours through the SDK: GetRecords', unit: RATE, note: sdk },
  { metric: 'ours through the SDK: SubscribeToShard', unit: RATE, note: sdk },
];

function targetsOf(results: readonly Result[]): BenchReport['targets'] {
  const named = (metric: string): readonly Result[] => results.filter((of) => of.metric === metric);
  return [
    ...['ours: PutRecords', 'ours: GetRecords', 'ours: SubscribeToShard'].flatMap((metric) =>
      named(metric).map((of) => atLeast(of, WANTED_RECORDS_PER_SECOND)),
    ),
    ...named('ours: empty GetRecords, p50').map((of) => atMost(of, WANTED_EMPTY_READ_MS)),
  ];
}
