import { end } from './fleet/child.ts';
import { nowMs } from './fleet/clock.ts';
import { entryFor, putAll, startCloud } from './fleet/cloud.ts';
import type { Usage } from './fleet/messages.ts';
import { startWorker, until } from './fleet/one-worker.ts';
import {
  atMost,
  percentile,
  report,
  result,
  type BenchReport,
  type Progress,
  type Result,
  type Target,
} from './report.ts';

/** The question: how soon after the start of a worker on a fresh lease table does the first record come? */
interface Case {
  readonly shards: number;
  readonly runs: number;
  readonly wantedMs: number;
  /** How long to wait for the first record of every shard; what has not come by then is reported. */
  readonly allMs: number;
}

const cases: readonly Case[] = [
  { shards: 4, runs: 3, wantedMs: 3_000, allMs: 20_000 },
  { shards: 100, runs: 2, wantedMs: 3_000, allMs: 15_000 },
  { shards: 5_000, runs: 1, wantedMs: 10_000, allMs: 45_000 },
];
const FIRST_MS_MAX = 60_000;

/**
 * Calls each second: ListShards is counted by stream, DescribeStreamSummary by account, the others by shard (Kinesis
 * Data Streams quotas). Of the lease table there is no limit below 40,000 units.
 */
const limits = {
  ListShards: 100,
  DescribeStreamSummary: 20,
  GetRecords: 5,
  GetShardIterator: 5,
} as const;

interface Run {
  readonly firstMs: number;
  /** CPU time that the worker had used by then: says how much of the time was waiting. */
  readonly firstCpuMs: number;
  /** From the first record to the last shard's first one; undefined: not all came in time. */
  readonly allMs: number | undefined;
  readonly shardsRead: number;
  readonly usage: Usage;
}

export async function run(progress: Progress): Promise<BenchReport> {
  const results: Result[] = [];
  const targets: Target[] = [];
  for (const each of cases) {
    const runs: Run[] = [];
    for (let i = 1; i <= each.runs; i += 1) {
      const one = await coldStart(each);
      const all =
        one.allMs === undefined ? `${one.shardsRead} shards in time` : `all ${one.allMs.toFixed(0)} ms`;
      progress(`${each.shards} shards, run ${i} of ${each.runs}: first ${one.firstMs.toFixed(0)} ms, ${all}`);
      runs.push(one);
    }
    const first = firstResult(each, runs);
    results.push(first, ...otherResults(each, runs));
    targets.push(atMost(first, each.wantedMs), ...limitTargets(each, runs));
  }
  return report('cold-start', results, targets);
}

async function coldStart({ shards, allMs }: Case): Promise<Run> {
  const cloud = await startCloud(shards);
  try {
    await putAll(
      cloud,
      cloud.shards.map((shard) => entryFor(shard, Buffer.alloc(300))),
    );
    const worker = await startWorker(cloud.place, { workerId: 'cold', handlerMs: 0, tell: 'each' });
    try {
      const read = new Set<string>();
      let lastNewAtMs = 0;
      worker.on('delivered', ({ shardId, atMs }) => {
        if (!read.has(shardId)) lastNewAtMs = atMs;
        read.add(shardId);
      });
      const first = await worker.next('first-record', FIRST_MS_MAX);
      const untilMs = nowMs() + allMs;
      await until('every shard, or the time', () => read.size === shards || nowMs() > untilMs, 2 * allMs);
      const usage = await worker.usage();
      return {
        firstMs: first.atMs - worker.runningAtMs,
        firstCpuMs: first.cpuMs,
        allMs: read.size === shards ? lastNewAtMs - worker.runningAtMs : undefined,
        shardsRead: read.size,
        usage,
      };
    } finally {
      await end(worker.child, 'SIGKILL');
    }
  } finally {
    await cloud.stop();
  }
}

function firstResult({ shards }: Case, runs: readonly Run[]): Result {
  return result(
    `${shards} shards: first record`,
    'ms',
    runs.map(({ firstMs }) => firstMs),
    'from the start of the consumer in a process that is up; fresh lease table, local Kinesis and DynamoDB',
  );
}

function otherResults({ shards, allMs }: Case, runs: readonly Run[]): readonly Result[] {
  const all = runs.flatMap((run) => run.allMs ?? []);
  const came = runs.map(({ shardsRead }) => shardsRead);
  const numbers = (metric: string, unit: string, values: readonly number[]): readonly Result[] =>
    values.length > 0 ? [result(`${shards} shards: ${metric}`, unit, values)] : [];
  const operations = [...new Set(runs.flatMap(({ usage }) => Object.keys(usage.calls.total)))].sort();
  return [
    ...numbers(
      'CPU of the worker until the first record',
      'ms',
      runs.map(({ firstCpuMs }) => firstCpuMs),
    ),
    ...numbers('a record of every shard', 'ms', all),
    ...numbers(`shards read within ${(allMs / 1_000).toFixed(0)} s more`, 'shards', came),
    ...numbers(
      'CPU of the worker in all',
      's',
      runs.map(({ usage }) => usage.cpuMs / 1_000),
    ),
    ...operations.flatMap((operation) =>
      numbers(
        `most ${operation} in a second`,
        'calls',
        runs.map(({ usage }) => usage.calls.perSecondMax[operation] ?? 0),
      ),
    ),
  ];
}

function limitTargets({ shards }: Case, runs: readonly Run[]): readonly Target[] {
  return Object.entries(limits).map(([operation, limit]) => {
    const most = runs.map(({ usage: { calls } }) => {
      const { perSecondMax, perShardSecondMax } = calls;
      return perShardSecondMax[operation] ?? perSecondMax[operation] ?? 0;
    });
    return atMost(
      result(`${shards} shards: ${operation}, of its limit`, 'calls/s', [percentile(most, 1)]),
      limit,
    );
  });
}
