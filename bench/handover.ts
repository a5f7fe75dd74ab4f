import { nowMs, sleep } from './fleet/clock.ts';
import { type BenchCloud, entryFor, putAll, startCloud } from './fleet/cloud.ts';
import { Fleet, type FleetWorker, until } from './fleet/fleet.ts';
import { atMost, percentile, report, result, type BenchReport, type Progress } from './report.ts';

/** The question: for how long is a shard not delivered when a worker stops, dies or joins, and what comes twice? */
const WORKERS = 3;
const SHARDS = 24;
const SIGTERM_ROUNDS = 5;
const KILL_ROUNDS = 2;
/** One record for each shard as often as this. */
const PUT_MS = 100;
/** Undisturbed before each round, so that checkpoints are where they are in the middle of a day. */
const QUIET_MS = 2_000;
const WAIT_MS_MAX = 40_000;

const FAILOVER_MS = 10_000;
const WANTED = { sigtermGapP99Ms: 2_000, failoverMs: FAILOVER_MS + 5_000, balancedMs: 10_000 };

export async function run(progress: Progress): Promise<BenchReport> {
  const cloud = await startCloud(SHARDS);
  const fleet = new Fleet(cloud, { leases: { failoverMs: FAILOVER_MS } });
  const sent = new Sender(cloud);
  try {
    progress(`${WORKERS} workers share ${SHARDS} shards`);
    await Promise.all(Array.from({ length: WORKERS }, (_, i) => fleet.start(`worker-${i}`)));
    await until('the first balance', () => fleet.isBalanced(), WAIT_MS_MAX);
    sent.start();
    const measured = await rounds(fleet, progress);
    await sent.stop();
    const ids = sent.ids;
    await until('every record delivered', () => ids.every((id) => fleet.deliveries.has(id)), WAIT_MS_MAX);
    return reportOf(measured, fleet, ids.length);
  } finally {
    await sent.stop();
    await fleet.stopAll();
    await cloud.stop();
  }
}

interface Phase {
  readonly gapsMs: number[];
  /** Per round. */
  readonly repeats: number[];
}

interface Measured {
  readonly sigterm: Phase;
  readonly kill: Phase;
  readonly join: Phase;
  readonly balancedMs: number[];
  /** The same right after a failover, when the survivors' backlog still counts as their load. */
  readonly balancedAfterKillMs: number[];
}

async function rounds(fleet: Fleet, progress: Progress): Promise<Measured> {
  const phase = (): Phase => ({ gapsMs: [], repeats: [] });
  const measured: Measured = {
    sigterm: phase(),
    kill: phase(),
    join: phase(),
    balancedMs: [],
    balancedAfterKillMs: [],
  };
  const signals = [
    ...Array<'SIGTERM'>(SIGTERM_ROUNDS).fill('SIGTERM'),
    ...Array<'SIGKILL'>(KILL_ROUNDS).fill('SIGKILL'),
  ];
  for (const [round, signal] of signals.entries()) {
    await sleep(QUIET_MS);
    const [phaseOfLeave, balancedMs] =
      signal === 'SIGTERM'
        ? [measured.sigterm, measured.balancedMs]
        : [measured.kill, measured.balancedAfterKillMs];
    await leave(fleet, signal, phaseOfLeave);
    await sleep(QUIET_MS);
    balancedMs.push(await join(fleet, `joined-${round}`, measured.join));
    const last = (values: readonly number[]): string => `${(values.at(-1) ?? Number.NaN).toFixed(0)} ms`;
    const what = `${signal}, last gap ${last(phaseOfLeave.gapsMs)}; join, balanced after ${last(balancedMs)}`;
    progress(`round ${round + 1} of ${signals.length}: ${what}`);
  }
  return measured;
}

/** The oldest worker leaves. */
async function leave(fleet: Fleet, signal: 'SIGTERM' | 'SIGKILL', into: Phase): Promise<void> {
  const [leaver] = fleet.workers;
  if (leaver === undefined) return;
  const shards = [...leaver.holds];
  const repeatsBefore = fleet.deliveries.repeats;
  await fleet.stop(leaver, signal);
  into.gapsMs.push(...(await gapsOf(fleet, leaver, shards)));
  await until('balance after a leave', () => fleet.isBalanced(), WAIT_MS_MAX);
  into.repeats.push(fleet.deliveries.repeats - repeatsBefore);
}

/** Resolves with the time to balance. */
async function join(fleet: Fleet, id: string, into: Phase): Promise<number> {
  const before = new Map(fleet.workers.map((worker) => [worker, [...worker.holds]]));
  const repeatsBefore = fleet.deliveries.repeats;
  const joined = await fleet.start(id);
  await until('balance after a join', () => fleet.isBalanced(), WAIT_MS_MAX, joined.child);
  const balancedMs = fleet.changedAtMs - joined.runningAtMs;
  for (const [worker, shards] of before) {
    const moved = shards.filter((shardId) => joined.holds.has(shardId));
    into.gapsMs.push(...(await gapsOf(fleet, worker, moved)));
  }
  into.repeats.push(fleet.deliveries.repeats - repeatsBefore);
  return balancedMs;
}

async function gapsOf(
  fleet: Fleet,
  from: FleetWorker,
  shards: readonly string[],
): Promise<readonly number[]> {
  const gaps = (): readonly number[] =>
    shards.flatMap((shardId) => fleet.deliveries.gapAfter(from.id, shardId) ?? []);
  await until(
    `delivery of the shards of ${from.id} by others`,
    () => gaps().length === shards.length,
    WAIT_MS_MAX,
  );
  return gaps();
}

/** Puts one record into each shard again and again. */
class Sender {
  readonly ids: string[] = [];
  readonly #cloud: BenchCloud;
  readonly #over = new AbortController();
  #sending: Promise<void> = Promise.resolve();

  constructor(cloud: BenchCloud) {
    this.#cloud = cloud;
  }

  start(): void {
    this.#sending = this.#send();
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#sending;
  }

  async #send(): Promise<void> {
    const entries = this.#cloud.shards.map((shard) => entryFor(shard, Buffer.alloc(300)));
    let nextMs = nowMs();
    while (!this.#over.signal.aborted) {
      this.ids.push(...(await putAll(this.#cloud, entries)));
      nextMs = Math.max(nextMs + PUT_MS, nowMs());
      await sleep(nextMs - nowMs());
    }
  }
}

function reportOf(measured: Measured, fleet: Fleet, records: number): BenchReport {
  const { sigterm, kill, join, balancedMs, balancedAfterKillMs } = measured;
  const usual = fleet.deliveries.intervals();
  const gap = 'from the last delivery of a shard by its old worker to the first by the new one';
  const fine = `a record per shard each ${PUT_MS} ms, read each second (the default)`;
  const results = {
    usualP50: result('no change: between deliveries, p50', 'ms', [percentile(usual, 0.5)], fine),
    usualP99: result('no change: between deliveries, p99', 'ms', [percentile(usual, 0.99)]),
    sigterm: result('SIGTERM: gap per shard', 'ms', sigterm.gapsMs, gap),
    sigtermP99: result('SIGTERM: gap per shard, p99', 'ms', [percentile(sigterm.gapsMs, 0.99)]),
    sigtermRepeats: result('SIGTERM: records delivered twice', 'records', [sum(sigterm.repeats)]),
    kill: result('kill -9: gap per shard', 'ms', kill.gapsMs, gap),
    killP99: result('kill -9: gap per shard, p99', 'ms', [percentile(kill.gapsMs, 0.99)]),
    killRepeats: result(
      'kill -9: records delivered twice',
      'records',
      kill.repeats,
      'at least once is the promise: what was handled since the last checkpoint (3 s) comes again',
    ),
    balanced: result(
      'join: balanced after',
      'ms',
      balancedMs,
      'from the start of the consumer in a process that is up',
    ),
    balancedMax: result('join: balanced after, slowest', 'ms', [Math.max(...balancedMs)]),
    afterKill: result(
      'join 2 s after a failover: balanced after',
      'ms',
      balancedAfterKillMs,
      'balanced counts leases; the plan weighs traffic too, and the backlog of a failover is traffic',
    ),
    afterKillMax: result('join 2 s after a failover, slowest', 'ms', [Math.max(...balancedAfterKillMs)]),
    join: result('join: gap per moved shard', 'ms', join.gapsMs, gap),
    joinP99: result('join: gap per moved shard, p99', 'ms', [percentile(join.gapsMs, 0.99)]),
    joinRepeats: result('join: records delivered twice', 'records', [sum(join.repeats)]),
    lost: result('leases lost by living workers', 'leases', [fleet.leasesLost]),
    missing: result('records never delivered', 'records', [0], `of ${records}; any would fail the run`),
  };
  const targets = [
    atMost(results.sigtermP99, WANTED.sigtermGapP99Ms),
    atMost(results.sigtermRepeats, 0),
    atMost(results.killP99, WANTED.failoverMs),
    atMost(results.balancedMax, WANTED.balancedMs),
    atMost(results.afterKillMax, WANTED.balancedMs),
    atMost(results.joinRepeats, 0),
    atMost(results.lost, 0),
  ];
  return report('handover', Object.values(results), targets);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
