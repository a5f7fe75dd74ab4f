import type { ChildProcess } from 'node:child_process';
import { type KclLine, kclVersions } from '../test/interop/java.ts';
import { buildKcl, startKcl } from './consumer/java-kcl.ts';
import { installLifion } from './consumer/peer.ts';
import { end, forkScript } from './fleet/child.ts';
import { type BenchCloud, entryFor, putAll, startCloud } from './fleet/cloud.ts';
import type { Usage, WorkerSettings } from './fleet/messages.ts';
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

/**
 * The question: how much does a consumer get through for a second of CPU, beside others on the same stream? Rates are of
 * the last three quarters of what is read, where the code of each is compiled; with what starting takes they are told
 * apart.
 */
const SHARDS = 4;
const RUNS = 3;
const MIB = 1024 * 1024;
const BACKLOG_BYTES = 256 * MIB;
const RECORD_BYTES = [1_024, 25 * 1_024] as const;
/** A KCL takes half a minute before it reads. */
const READ_MS_MAX = 240_000;

const WANTED_RAW = 50;
const WANTED_OF_LIFION = 3;
const WANTED_OF_KCL = 2;

/** Each reads the backlog from the beginning in a process of its own. */
interface Reader {
  readonly name: string;
  readonly start: (settings: WorkerSettings) => ChildProcess;
  /** How much of the backlog it reads. */
  readonly bytes: number;
  /** How often ours should get as much for a second of CPU. */
  readonly wantedOf?: number;
}

function ourProcess(name: string, script: string, more: object = {}): Reader {
  const start = (settings: WorkerSettings) => forkScript(script, JSON.stringify({ ...settings, ...more }));
  return { name, start, bytes: BACKLOG_BYTES };
}

const ours = ourProcess('ours', 'worker.ts');
const raw = ourProcess('bare GetRecords', '../consumer/raw-reader.ts');

export async function run(progress: Progress): Promise<BenchReport> {
  const notMeasured: string[] = [];
  const readers = [ours, raw];
  const tryToAdd = (name: string, wanted: number, peer: Reader | string): void => {
    if (typeof peer !== 'string') return void readers.push(peer);
    progress(`NOT MEASURED: ${name}: ${peer}`);
    notMeasured.push(`${name}, so ≥ ${wanted} × ${name} is not shown: ${peer}`);
  };
  for (const line of ['2.7', '3.5'] as const) {
    progress(`building a worker on the Java KCL ${kclVersions[line]}`);
    tryToAdd(`KCL ${kclVersions[line]}`, WANTED_OF_KCL, await kcl(line));
  }
  progress('installing lifion-kinesis into a folder of its own');
  const installed = await installLifion();
  tryToAdd('lifion', WANTED_OF_LIFION, typeof installed === 'string' ? installed : lifion(installed.folder));
  try {
    const measured: Measured[] = [];
    for (const bytes of RECORD_BYTES) measured.push(...(await withRecordsOf(bytes, readers, progress)));
    return report('consumer', measured.flatMap(resultsOf), targetsOf(measured), notMeasured);
  } finally {
    if (typeof installed !== 'string') installed.remove();
  }
}

async function kcl(line: KclLine): Promise<Reader | string> {
  const build = await buildKcl(line);
  if (typeof build === 'string') return build;
  return {
    name: `KCL ${kclVersions[line]}`,
    start: (settings) => startKcl(build.classPath, settings),
    bytes: BACKLOG_BYTES,
    wantedOf: WANTED_OF_KCL,
  };
}

/** It is so slow that the whole backlog would take minutes; it has nothing to warm up for so long either. */
function lifion(folder: string): Reader {
  return {
    ...ourProcess('lifion', '../consumer/lifion-worker.ts', { folder }),
    bytes: BACKLOG_BYTES / 4,
    wantedOf: WANTED_OF_LIFION,
  };
}

interface Measured {
  readonly reader: Reader;
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
    await fill(cloud, recordBytes);
    const usages = new Map<string, Usage[]>(readers.map(({ name }) => [name, []]));
    for (let i = 1; i <= RUNS; i += 1) {
      // In turns, so that a busy minute of the machine meets all of them.
      for (const reader of readers) {
        const usage = await read(cloud, reader, Math.floor(reader.bytes / recordBytes));
        usages.get(reader.name)?.push(usage);
        const rate = warmRate(usage).toFixed(1);
        progress(`${recordBytes} B, run ${i} of ${RUNS}: ${reader.name} ${rate} MiB per CPU-second`);
      }
    }
    return readers.map((reader) => ({ reader, recordBytes, usages: usages.get(reader.name) ?? [] }));
  } finally {
    await cloud.stop();
  }
}

/** Letters, digits and punctuation in equal parts would be kinder to base64 than real bytes: all 256 values. */
async function fill(cloud: BenchCloud, recordBytes: number): Promise<void> {
  const data = Buffer.from(Array.from({ length: recordBytes }, (_, i) => (i * 131) % 256));
  const records = Math.floor(BACKLOG_BYTES / recordBytes);
  const entries = Array.from({ length: records }, (_, i) => entryFor(cloud.shards[i % SHARDS]!, data));
  await putAll(cloud, entries);
}

async function read(cloud: BenchCloud, reader: Reader, records: number): Promise<Usage> {
  const place = await cloud.freshPlace();
  // lifion makes its table itself, in another form.
  const table = reader.name === 'lifion' ? `${place.table}-lifion` : place.table;
  const what = { workerId: 'bench', handlerMs: 0, tell: 'count', usageAtRecords: records } as const;
  const child = reader.start({ ...what, ...place, table });
  try {
    const worker = await watch(child, reader.name);
    return (await worker.next('usage', READ_MS_MAX)).usage;
  } finally {
    await end(child, 'SIGKILL');
  }
}

interface Amount {
  readonly records: number;
  readonly bytes: number;
  readonly cpuMs: number;
}

function recordsRate({ cpuMs, records }: Amount): number {
  return (records * 1_000) / cpuMs;
}

/** MiB for a second of CPU, start and first steps left out. */
function warmRate({ warm }: Usage): number {
  if (warm === undefined) throw new Error('A reader told its usage before it had read a quarter');
  return (warm.bytes * 1_000) / MIB / warm.cpuMs;
}

function rateOf({ reader, recordBytes, usages }: Measured): Result {
  const note = reader.bytes === BACKLOG_BYTES ? undefined : `of the first ${reader.bytes / MIB} MiB`;
  const metric = `${reader.name}, ${recordBytes} B: MiB per CPU-second`;
  return result(metric, 'MiB/s', usages.map(warmRate), note);
}

function resultsOf(measured: Measured): readonly Result[] {
  const { reader, recordBytes, usages } = measured;
  const of = (metric: string, unit: string, runs: readonly number[]): Result =>
    result(`${reader.name}, ${recordBytes} B: ${metric}`, unit, runs);
  const whole = usages.map(({ processCpuMs, ...usage }) => recordsRate({ ...usage, cpuMs: processCpuMs }));
  return [
    rateOf(measured),
    of(
      'records per CPU-second',
      'records/s',
      usages.map((usage) => recordsRate(usage.warm ?? usage)),
    ),
    of('records per CPU-second, start included', 'records/s', whole),
    of(
      'peak memory',
      'MiB',
      usages.map(({ peakBytes }) => peakBytes / MIB),
    ),
  ];
}

function targetsOf(measured: readonly Measured[]): readonly Target[] {
  return RECORD_BYTES.flatMap((bytes) => {
    const ofSize = measured.filter(({ recordBytes }) => recordBytes === bytes);
    const mine = ofSize.find(({ reader }) => reader === ours);
    if (mine === undefined) return [];
    const floor = ofSize.filter(({ reader }) => reader === ours || reader === raw);
    const peers = ofSize.flatMap((peer) => {
      const { name, wantedOf } = peer.reader;
      if (wantedOf === undefined) return [];
      const times = rateOf(mine).median / rateOf(peer).median;
      return [atLeast(result(`ours against ${name}, ${bytes} B`, 'times', [times]), wantedOf)];
    });
    return [...floor.map((each) => atLeast(rateOf(each), WANTED_RAW)), ...peers];
  });
}
