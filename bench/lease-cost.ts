import { TallyBook } from '../lib/consumer/tally.ts';
import { type FleetCase, type FleetCost, fleetCost } from './lease-cost/fleet.ts';
import { javaKcl2 } from './lease-cost/java-kcl.ts';
import { moves, type Moves, type MovesCase } from './lease-cost/moves.ts';
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

/** The question: what does the lease table cost, in calls and in DynamoDB's units, and what would the Java KCL's? */
const LEASES = 1_000;
const MINUTE_MS = 60_000;
/** Of the Java KCL 2.x, percent. */
const WANTED_WRITES = 60;
const WANTED_READS = 5;
const WANTED_READS_ALONE = 100;
/** With a failover time of 10 s. */
const WANTED_FAILOVER_MS = 15_000;
const WANTED_STOP_MS = 2_000;
const WANTED_JOIN_MS = 10_000;

const bare = { readThrough: 1_767_225_600_000 };

/** What one of our services saves with a checkpoint: a tally of two outcomes and the stamps of a few sources. */
function stateOfService(): FleetCase['state'] {
  const book = new TallyBook();
  for (const outcome of ['stored', 'duplicate']) book.add(outcome, 'event-1');
  return { ...bare, tally: book.save(), dedupe: new Uint8Array(200), ledgerHour: 490_896, handler: {} };
}

interface Case extends FleetCase {
  readonly name: string;
}

/**
 * Workers that another surveys for look at the whole table once an hour: an hour from the second minute on holds exactly
 * one such look of each.
 */
const cases: readonly Case[] = [
  { workers: 1, what: 'idle', checkpointMs: undefined, state: {}, minutes: 4 },
  { workers: 1, what: 'checkpoint 5 s', checkpointMs: 5_000, state: bare, minutes: 2 },
  { workers: 1, what: 'checkpoint 3 s', checkpointMs: 3_000, state: bare, minutes: 2 },
  { workers: 1, what: '3 s, our state', checkpointMs: 3_000, state: stateOfService(), minutes: 2 },
  { workers: 50, what: 'idle', checkpointMs: undefined, state: {}, minutes: 60 },
  { workers: 50, what: 'checkpoint 3 s', checkpointMs: 3_000, state: bare, minutes: 60 },
].map(({ what, minutes, ...of }) => ({
  ...of,
  leases: LEASES,
  name: `${of.workers} × ${LEASES}, ${what}`,
  measureMs: minutes * MINUTE_MS,
}));

/** What fewer looks must not cost. */
const moving: readonly MovesCase[] = [
  { workers: 20, leases: 400, seed: 1 },
  { workers: 50, leases: LEASES, seed: 1 },
];

export async function run(progress: Progress): Promise<BenchReport> {
  const results: Result[] = [];
  const targets: Target[] = [];
  for (const each of cases) {
    const startedAtMs = performance.now();
    const cost = await fleetCost(each);
    const tookMs = performance.now() - startedAtMs;
    progress(
      `${each.name}: ${each.measureMs / MINUTE_MS} simulated minutes in ${(tookMs / 1_000).toFixed(1)} s`,
    );
    const measured = resultsOf(each, cost);
    results.push(...Object.values(measured));
    targets.push(atMost(measured.writesOfKcl, WANTED_WRITES));
    targets.push(atMost(measured.readsOfKcl, each.workers > 1 ? WANTED_READS : WANTED_READS_ALONE));
  }
  for (const of of moving) {
    const measured = resultsOfMoves(of, await moves(of));
    progress(`${of.workers} × ${of.leases}: one worker killed, one stopped, one joined`);
    results.push(...Object.values(measured));
    targets.push(atMost(measured.failover, WANTED_FAILOVER_MS), atMost(measured.stop, WANTED_STOP_MS));
    targets.push(atMost(measured.join, WANTED_JOIN_MS));
  }
  return report('lease-cost', results, targets);
}

function resultsOf(of: Case, cost: FleetCost) {
  const seconds = of.measureMs / 1_000;
  const kcl = javaKcl2(of);
  const perLease = (count: number): number => count / seconds / of.leases;
  const calls = Object.values(cost.calls).reduce((sum, count) => sum + count, 0);
  const byOperation = Object.entries(cost.calls)
    .map(([operation, count]) => `${operation} ${(count / seconds).toFixed(1)}/s`)
    .join(', ');
  const shares = `${cost.sharesAtEnd[1]} … ${cost.sharesAtEnd[0]} leases a worker`;
  const one = (metric: string, unit: string, value: number, note?: string): Result =>
    result(`${of.name}: ${metric}`, unit, [value], note);
  return {
    calls: one('calls', '1/s/lease', perLease(calls), `${byOperation}; ${shares}`),
    writes: one(
      'write units',
      '1/s/lease',
      perLease(cost.writes),
      `items of ${Math.round(cost.itemBytesMean)} B`,
    ),
    reads: one('read units', '1/s/lease', perLease(cost.reads)),
    kclWrites: one('KCL 2.x write units', '1/s/lease', kcl.writes / of.leases, 'computed'),
    kclReads: one('KCL 2.x read units', '1/s/lease', kcl.reads / of.leases, 'computed'),
    writesOfKcl: one('writes of KCL 2.x', '%', (100 * cost.writes) / seconds / kcl.writes),
    readsOfKcl: one('reads of KCL 2.x', '%', (100 * cost.reads) / seconds / kcl.reads),
  };
}

function resultsOfMoves({ leases, workers }: MovesCase, of: Moves) {
  const one = (metric: string, values: readonly number[], part: number): Result => {
    const note = `${values.length} leases: ${[0.5, 0.99, 1].map((p) => Math.round(percentile(values, p))).join(', ')} ms`;
    return result(`${workers} × ${leases}: ${metric}`, 'ms', [percentile(values, part)], note);
  };
  return {
    failover: one('failover after a kill, longest', of.failoverMs, 1),
    stop: one('gap at SIGTERM, p99', of.stopGapMs, 0.99),
    join: result(`${workers} × ${leases}: join to its share`, 'ms', [of.joinMs]),
  };
}
