import type { ChildProcess } from 'node:child_process';
import { installLifion } from './consumer/peer.ts';
import { end, forkScript } from './fleet/child.ts';
import { type BenchCloud, entryFor, putAll, startCloud } from './fleet/cloud.ts';
import type { Usage } from './fleet/messages.ts';
import { watch } from './fleet/one-worker.ts';
import {
  atLeast,
  report,
  result,
  type BenchReport,
  type Progress,
  type Result,
  type Target,
} from './report.ts';

/** The question: how much does a consumer get through for a second of CPU, beside others on the same stream? */
const SHARDS = 4;
const RUNS = 3;
const MIB = 1024 * 1024;
const BACKLOG_BYTES = 48 * MIB;
const RECORD_BYTES = [1_024, 25 * 1_024] as const;
const READ_MS_MAX = 120_000;

const WANTED_RAW = 50;
const WANTED_OF_LIFION = 3;

/** Each reads the whole backlog from the beginning in a process of its own. */
interface Reader {
  readonly name: string;
  readonly script: string;
  readonly settings: object;
}

const ours: Reader = {
  name: 'ours',
  script: 'worker.ts',
  settings: { workerId: 'bench', handlerMs: 0, tell: 'count' },
};
const raw: Reader = { name: 'bare GetRecords', script: '../consumer/raw-reader.ts', settings: {} };

export async function run(progress: Progress): Promise<BenchReport> {
  const notMeasured = ['the Java KCL: no worker for it is kept here yet, so ≥ 2 × KCL is not shown'];
  progress('installing lifion-kinesis into a folder of its own');
  const peer = await installLifion();
  const readers = [ours, raw];
  if (typeof peer === 'string') {
    progress(`NOT MEASURED: ${peer}`);
    notMeasured.push(`lifion-kinesis, so ≥ ${WANTED_OF_LIFION} × lifion is not shown: ${peer}`);
  } else {
    const settings = { folder: peer.folder };
    readers.push({ name: 'lifion', script: '../consumer/lifion-worker.ts', settings });
  }
  try {
    const measured: Measured[] = [];
    for (const bytes of RECORD_BYTES) measured.push(...(await withRecordsOf(bytes, readers, progress)));
    return report('consumer', measured.flatMap(resultsOf), targetsOf(measured), notMeasured);
  } finally {
    if (typeof peer !== 'string') peer.remove();
  }
}

interface Measured {
  readonly reader: string;
  readonly recordBytes: number;
  readonly usages: readonly Usage[];
}

async function withRecordsOf(
  recordBytes: number,
  readers: readonly Reader[],
  progress: Progress,
): Promise<readonly Measured[]> {
  const cloud = await startCloud(SHARDS);
  try {
    const records = await fill(cloud, recordBytes);
    const usages = new Map<string, Usage[]>(readers.map(({ name }) => [name, []]));
    for (let i = 1; i <= RUNS; i += 1) {
      // In turns, so that a busy minute of the machine meets all of them.
      for (const reader of readers) {
        const usage = await readAll(cloud, reader, records);
        usages.get(reader.name)?.push(usage);
        const rate = perCpuSecond(usage.bytes / MIB, usage).toFixed(1);
        progress(`${recordBytes} B, run ${i} of ${RUNS}: ${reader.name} ${rate} MiB per CPU-second`);
      }
    }
    return readers.map(({ name }) => ({ reader: name, recordBytes, usages: usages.get(name) ?? [] }));
  } finally {
    await cloud.stop();
  }
}

/** Letters, digits and punctuation in equal parts would be kinder to base64 than real bytes: all 256 values. */
async function fill(cloud: BenchCloud, recordBytes: number): Promise<number> {
  const data = Buffer.from(Array.from({ length: recordBytes }, (_, i) => (i * 131) % 256));
  const records = Math.floor(BACKLOG_BYTES / recordBytes);
  const entries = Array.from({ length: records }, (_, i) => entryFor(cloud.shards[i % SHARDS]!, data));
  await putAll(cloud, entries);
  return records;
}

async function readAll(cloud: BenchCloud, reader: Reader, records: number): Promise<Usage> {
  const place = await cloud.freshPlace();
  // The peer makes its table itself, in another form.
  const table = reader.name === 'lifion' ? `${place.table}-lifion` : place.table;
  const settings = { ...reader.settings, ...place, table, usageAtRecords: records };
  const child: ChildProcess = forkScript(reader.script, JSON.stringify(settings));
  try {
    const worker = await watch(child, reader.name);
    return (await worker.next('usage', READ_MS_MAX)).usage;
  } finally {
    await end(child, 'SIGKILL');
  }
}

function perCpuSecond(amount: number, { cpuMs }: Usage): number {
  return (amount * 1_000) / cpuMs;
}

function rateOf({ reader, recordBytes, usages }: Measured): Result {
  const rates = usages.map((usage) => perCpuSecond(usage.bytes / MIB, usage));
  return result(`${reader}, ${recordBytes} B: MiB per CPU-second`, 'MiB/s', rates);
}

function resultsOf(measured: Measured): readonly Result[] {
  const { reader, recordBytes, usages } = measured;
  const records = usages.map((usage) => perCpuSecond(usage.records, usage));
  const peaks = usages.map(({ peakBytes }) => peakBytes / MIB);
  return [
    rateOf(measured),
    result(`${reader}, ${recordBytes} B: records per CPU-second`, 'records/s', records),
    result(`${reader}, ${recordBytes} B: peak memory`, 'MiB', peaks),
  ];
}

function targetsOf(measured: readonly Measured[]): readonly Target[] {
  return RECORD_BYTES.flatMap((bytes) => {
    const of = (reader: string): Measured | undefined =>
      measured.find((each) => each.reader === reader && each.recordBytes === bytes);
    const [mine, bare, lifion] = [of(ours.name), of(raw.name), of('lifion')];
    const times = mine && lifion ? rateOf(mine).median / rateOf(lifion).median : undefined;
    return [
      ...(bare ? [atLeast(rateOf(bare), WANTED_RAW)] : []),
      ...(mine ? [atLeast(rateOf(mine), WANTED_RAW)] : []),
      ...(times === undefined
        ? []
        : [atLeast(result(`ours against lifion, ${bytes} B`, 'times', [times]), WANTED_OF_LIFION)]),
    ];
  });
}
