import type { Usage } from './fleet/messages.ts';
import { end } from './fleet/child.ts';
import { sleep } from './fleet/clock.ts';
import { entryFor, type Place, putAll, startCloud } from './fleet/cloud.ts';
import { startWorker } from './fleet/one-worker.ts';
import { atLeast, atMost, report, result, type BenchReport, type Progress } from './report.ts';

/** The question: with far more to read than may be held, does the process keep to its budget, and its leases? */
const SHARDS = 100;
const RUNS = 3;
const MIB = 1024 * 1024;
const BUDGET_BYTES = 128 * MIB;
/** Half a minute would do where nothing else runs. */
const READ_MS_MAX = 180_000;
/** Node, the SDK, and what the garbage collector has not come to: beyond the budget, and not growing with it. */
const FIXED_BYTES = 150 * MIB;

interface Case {
  readonly name: string;
  readonly recordBytes: number;
  /** In all shards together several times the budget, with what records take beside their data. */
  readonly recordsPerShard: number;
  /** For a record. A shard alone needs a few seconds for its own; nothing is read while the budget is full. */
  readonly handlerMs: number;
}

const cases: readonly Case[] = [
  { name: '10 MiB a read', recordBytes: 512 * 1024, recordsPerShard: 20, handlerMs: 100 },
  { name: '4,000 records a read', recordBytes: 100, recordsPerShard: 4_000, handlerMs: 1 },
];

export async function run(progress: Progress): Promise<BenchReport> {
  const measured: Measured[] = [];
  for (const each of cases) measured.push(await measure(each, progress));
  return report('memory', measured.flatMap(Object.values<Result>), measured.flatMap(targetsOf));
}

type Result = ReturnType<typeof result>;
type Measured = ReturnType<typeof resultsOf>;

async function measure(of: Case, progress: Progress): Promise<Measured> {
  const cloud = await startCloud(SHARDS);
  try {
    const data = Buffer.alloc(of.recordBytes, 'weir');
    const entries = cloud.shards.flatMap((shard) =>
      Array.from({ length: of.recordsPerShard }, () => entryFor(shard, data)),
    );
    progress(`putting ${entries.length} records of ${of.recordBytes} B into ${SHARDS} shards`);
    await putAll(cloud, entries);
    const seen: Seen[] = [];
    for (let i = 1; i <= RUNS; i += 1) {
      seen.push(await readAll(of, await cloud.freshPlace(), entries.length));
      progress(`run ${i} of ${RUNS}: at most ${((seen.at(-1)?.usage.peakBytes ?? 0) / MIB).toFixed(0)} MiB`);
    }
    return resultsOf(of, seen);
  } finally {
    await cloud.stop();
  }
}

interface Seen {
  readonly usage: Usage;
  /** Why leases were lost. */
  readonly reasons: readonly string[];
  readonly shardsRead: number;
}

async function readAll(of: Case, place: Place, records: number): Promise<Seen> {
  const worker = await startWorker(place, {
    workerId: 'slow',
    handlerMs: of.handlerMs,
    tell: 'each',
    options: { bytesMax: BUDGET_BYTES },
  });
  try {
    const reasons: string[] = [];
    worker.on('lease-lost', ({ reason }) => void reasons.push(reason));
    const read = new Set<string>();
    let handled = 0;
    worker.on('delivered', ({ sequenceNumbers, shardId }) => {
      read.add(shardId);
      handled += sequenceNumbers.length;
    });
    for (let ms = 0; handled < records && ms < READ_MS_MAX; ms += 1_000) await sleep(1_000);
    return { usage: await worker.usage(), reasons, shardsRead: read.size };
  } finally {
    await end(worker.child, 'SIGKILL');
  }
}

function resultsOf(of: Case, seen: readonly Seen[]) {
  const all = (metric: string, unit: string, value: (of: Seen) => number, note?: string): Result =>
    result(`${of.name}: ${metric}`, unit, seen.map(value), note);
  const wholeProcess = `budget ${BUDGET_BYTES / MIB} MiB; the whole process, Node and SDK included`;
  const reasons = [...new Set(seen.flatMap((each) => each.reasons))].join(', ');
  return {
    peak: all('peak memory of the process', 'MiB', ({ usage }) => usage.peakBytes / MIB, wholeProcess),
    beyond: all('peak memory beyond the budget', 'MiB', beyondBudget),
    lost: all('leases lost', 'leases', (each) => each.reasons.length, reasons),
    shards: all('shards that were read', 'shards', ({ shardsRead }) => shardsRead),
    cpu: all('CPU of the worker', 's', ({ usage }) => usage.cpuMs / 1_000),
    records: all(
      'records handled',
      'records',
      ({ usage }) => usage.records,
      `of ${of.recordsPerShard * SHARDS}`,
    ),
  };
}

function beyondBudget({ usage }: Seen): number {
  return (usage.peakBytes - BUDGET_BYTES) / MIB;
}

function targetsOf({ lost, peak, shards }: Measured) {
  return [atMost(peak, (BUDGET_BYTES + FIXED_BYTES) / MIB), atMost(lost, 0), atLeast(shards, SHARDS)];
}
