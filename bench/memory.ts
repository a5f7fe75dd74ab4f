import { end } from './fleet/child.ts';
import { sleep } from './fleet/clock.ts';
import { entryFor, putAll, startCloud } from './fleet/cloud.ts';
import { startWorker } from './fleet/one-worker.ts';
import { atLeast, atMost, report, result, type BenchReport, type Progress } from './report.ts';

/** The question: with far more to read than may be held, does the process keep to its budget, and its leases? */
const SHARDS = 100;
const MIB = 1024 * 1024;
const RECORD_BYTES = 512 * 1024;
/** 5 MiB for each shard, four times the budget in all. */
const RECORDS_PER_SHARD = 10;
const BUDGET_BYTES = 128 * MIB;
/** For a record: a shard alone takes 4 s for its 10, and nothing is done when the budget is full of others. */
const HANDLER_MS = 400;
const RUN_MS = 45_000;
/** Node, the SDK, and what a read needs while it is decoded: beyond the budget, and not growing with it. */
const FIXED_BYTES = 150 * MIB;

export async function run(progress: Progress): Promise<BenchReport> {
  const cloud = await startCloud(SHARDS);
  try {
    const data = Buffer.alloc(RECORD_BYTES, 'weir');
    const entries = cloud.shards.flatMap((shard) =>
      Array.from({ length: RECORDS_PER_SHARD }, () => entryFor(shard, data)),
    );
    progress(`putting ${(entries.length * RECORD_BYTES) / MIB} MiB into ${SHARDS} shards`);
    await putAll(cloud, entries);
    const worker = await startWorker(cloud.place, {
      workerId: 'slow',
      handlerMs: HANDLER_MS,
      tell: 'each',
      options: { bytesMax: BUDGET_BYTES },
    });
    try {
      const reasons: string[] = [];
      worker.on('lease-lost', ({ reason }) => void reasons.push(reason));
      const read = new Set<string>();
      worker.on('delivered', ({ shardId }) => read.add(shardId));
      progress(`reading for ${RUN_MS / 1_000} s`);
      await sleep(RUN_MS);
      const usage = await worker.usage();
      const peak = result(
        'peak memory of the process',
        'MiB',
        [usage.peakBytes / MIB],
        `budget ${BUDGET_BYTES / MIB} MiB; the whole process, Node and SDK included`,
      );
      const lost = result('leases lost', 'leases', [reasons.length], [...new Set(reasons)].join(', '));
      const shardsRead = result('shards that were read', 'shards', [read.size]);
      const results = [
        peak,
        result('peak memory beyond the budget', 'MiB', [(usage.peakBytes - BUDGET_BYTES) / MIB]),
        lost,
        shardsRead,
        result('CPU of the worker', 's', [usage.cpuMs / 1_000], `in ${RUN_MS / 1_000} s`),
        result('records handled', 'records', [usage.records], `of ${entries.length}`),
      ];
      const targets = [
        atMost(peak, (BUDGET_BYTES + FIXED_BYTES) / MIB),
        atMost(lost, 0),
        atLeast(shardsRead, SHARDS),
      ];
      return report('memory', results, targets);
    } finally {
      await end(worker.child, 'SIGKILL');
    }
  } finally {
    await cloud.stop();
  }
}
