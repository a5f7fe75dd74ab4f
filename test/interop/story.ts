import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../lib/runtime/clock.ts';
import {
  type History,
  type Invariant,
  invariants,
  judge,
  lateDeliveries,
  ownerOf,
  pauses,
} from './checks.ts';
import { createCrew, type Crew, type Kind, type Member } from './crew.ts';
import type { Scene } from './scene.ts';

/** One row of the report. */
export interface Run {
  readonly name: string;
  readonly invariants: { readonly [I in Invariant]: boolean };
  readonly ok: boolean;
  readonly seconds: number;
  readonly notes: readonly string[];
}

export interface Act {
  readonly name: string;
  /** The longest time that a shard may be without a reader in this act. */
  readonly ownedMs: number;
  /** Does something, and waits until it has had its effect. What it tells becomes notes. */
  readonly play: (stage: Stage) => Promise<readonly string[]>;
}

/** What the acts of one story share: a stream, a table, the workers. */
export interface Stage {
  readonly scene: Scene;
  readonly crew: Crew;
  readonly failoverMs: number;
  readonly start: (id: string, kind: Kind) => Promise<Member>;
  /** How many open shards each live worker owns in the table and reads. */
  readonly shares: () => Promise<Readonly<Record<string, number>>>;
  /** Waits until it is so; a note with the time it took, or Unreached. */
  readonly until: (what: string, reached: () => Promise<boolean>, withinMs: number) => Promise<string>;
  readonly pass: (ms: number) => Promise<void>;
  /** What of the workers' logs fits the pattern (global), in the order of their starts and lines. */
  readonly said: (pattern: RegExp) => Promise<readonly string[]>;
}

/** An act did not come to its end in time. */
export class Unreached extends Error {}

const lookMs = 200;
/** Everything put so far is checkpointed by then; the slowest worker checkpoints with each batch, twice a second. */
const settleMs = 30_000;

/** Plays the acts one after another on one fleet, under traffic; each is judged on the whole history so far. */
export async function play(
  acts: readonly Act[],
  scene: Scene,
  options: { readonly failoverMs: number; readonly folder: string; readonly signal: AbortSignal },
): Promise<readonly Run[]> {
  const crew = createCrew(scene, options.failoverMs, options.folder);
  const stage = stageOf(scene, crew, options.failoverMs, options.signal);
  const runs: Run[] = [];
  try {
    for (const [index, act] of acts.entries()) {
      const run = await playAct(act, stage, index === acts.length - 1);
      process.stderr.write(`${run.ok ? 'ok ' : 'NO '} ${run.name}: ${run.notes.join('; ')}\n`);
      runs.push(run);
      if (options.signal.aborted) break;
    }
  } finally {
    await crew.close();
    await scene.endTraffic();
    // For whoever wants to know why: all that the judgement rests on.
    const all = { lines: crew.lines, writes: scene.log.writes };
    await writeFile(join(options.folder, `${scene.name}.json`), JSON.stringify(all));
  }
  return runs;
}

async function playAct(act: Act, stage: Stage, isLast: boolean): Promise<Run> {
  const fromMs = Date.now();
  const notes: string[] = [];
  let reached = true;
  try {
    notes.push(...(await act.play(stage)));
    if (isLast) {
      await stage.scene.endTraffic();
      notes.push(await stage.until('all checkpointed', () => settled(stage), settleMs));
    }
  } catch (error) {
    if (!(error instanceof Unreached)) throw error;
    reached = false;
    notes.push(error.message);
  }
  const history = await historyOf(stage, { fromMs, toMs: Date.now(), ownedMs: act.ownedMs });
  const verdict = judge(history);
  const broken = invariants.filter((invariant) => verdict[invariant].length > 0);
  notes.push(`at the end ${sharesText(await stage.shares())}`);
  notes.push(`longest pause ${seconds(Math.max(0, ...pauses(history).values()))}`);
  notes.push(`${repeats(history)} records repeated`);
  const late = lateDeliveries(history, 0).filter(({ at }) => at >= fromMs);
  for (const worker of new Set(late.map((line) => line.worker))) {
    const count = late.filter((line) => line.worker === worker).length;
    notes.push(`${worker} delivered ${count} batches after a loss`);
  }
  for (const invariant of broken) {
    const [first] = verdict[invariant];
    notes.push(`${invariant} broken ${verdict[invariant].length} times: ${first}`);
  }
  return {
    name: act.name,
    invariants: Object.fromEntries(
      invariants.map((invariant) => [invariant, !broken.includes(invariant)]),
    ) as Run['invariants'],
    ok: reached && broken.length === 0,
    seconds: Math.round((Date.now() - fromMs) / 100) / 10,
    notes,
  };
}

function stageOf(scene: Scene, crew: Crew, failoverMs: number, signal: AbortSignal): Stage {
  const shares = async (): Promise<Readonly<Record<string, number>>> => {
    const open = (await scene.shards()).filter((shard) => shard.endingSequenceNumber === undefined);
    const reading = readingNow(crew);
    const counts: Record<string, number> = Object.fromEntries(crew.alive().map(({ id }) => [id, 0]));
    for (const { shardId } of open) {
      const item = scene.log.items.get(shardId);
      const owner = ownerOf(item);
      const settled = item?.checkpointOwner === undefined;
      if (owner !== undefined && settled && reading.has(`${owner} ${shardId}`)) {
        counts[owner] = (counts[owner] ?? 0) + 1;
      }
    }
    return counts;
  };
  return {
    scene,
    crew,
    failoverMs,
    shares,
    start: crew.start,
    pass: (ms) => systemClock.sleep(ms, signal),
    said: async (pattern) => {
      const logs = await Promise.all([...crew.members.values()].map(({ log }) => readFile(log, 'utf8')));
      return logs.flatMap((log) => log.match(pattern) ?? []);
    },
    until: async (what, reached, withinMs) => {
      const fromMs = Date.now();
      while (!(await reached())) {
        const tookMs = Date.now() - fromMs;
        if (signal.aborted) throw new Unreached(`interrupted while waiting: ${what}`);
        if (tookMs > withinMs) {
          throw new Unreached(`NOT within ${seconds(withinMs)}: ${what} (${sharesText(await shares())})`);
        }
        await systemClock.sleep(lookMs, signal);
      }
      return `${what} after ${seconds(Date.now() - fromMs)}`;
    },
  };
}

/** `worker shard` of everybody alive who has begun and not ended. */
function readingNow(crew: Crew): ReadonlySet<string> {
  const reading = new Set<string>();
  for (const line of crew.lines) {
    if (line.event === 'begin') reading.add(`${line.worker} ${line.shard}`);
    if (line.event === 'end') reading.delete(`${line.worker} ${line.shard}`);
  }
  const alive = new Set(crew.alive().map(({ id }) => id));
  return new Set([...reading].filter((tenure) => alive.has(tenure.slice(0, tenure.indexOf(' ')))));
}

/** Each open shard is checkpointed up to its last record, each closed one at its end. */
async function settled({ scene }: Stage): Promise<boolean> {
  const last = new Map(scene.puts.map((put) => [put.shardId, put.sequenceNumber]));
  return (await scene.shards()).every((shard) => {
    const checkpoint = scene.log.items.get(shard.shardId)?.checkpoint?.S;
    if (shard.endingSequenceNumber === undefined) {
      return !last.has(shard.shardId) || checkpoint === last.get(shard.shardId);
    }
    // A finished lease may have been cleaned away.
    return checkpoint === 'SHARD_END' || !scene.log.items.has(shard.shardId);
  });
}

async function historyOf(stage: Stage, window: History['window']): Promise<History> {
  const { crew, failoverMs, scene } = stage;
  const deaths = [...crew.members.values()].flatMap(({ endedAtMs, id }) => {
    const at = endedAtMs();
    return at === undefined ? [] : [[id, at] as const];
  });
  return {
    failoverMs,
    ours: new Set([...crew.members.values()].filter(({ kind }) => kind.type === 'ours').map(({ id }) => id)),
    shards: await scene.shards(),
    puts: scene.puts,
    lines: crew.lines,
    writes: scene.log.writes,
    deaths: new Map(deaths),
    window,
  };
}

export function sharesText(shares: Readonly<Record<string, number>>): string {
  return Object.entries(shares)
    .map(([worker, count]) => `${worker} ${count}`)
    .join(', ');
}

function repeats({ lines, window }: History): number {
  const seen = new Set<string>();
  let count = 0;
  for (const line of lines) {
    if (line.event !== 'batch') continue;
    for (const [, number] of line.records) {
      const record = `${line.shard} ${number}`;
      if (seen.has(record) && line.at >= window.fromMs) count += 1;
      seen.add(record);
    }
  }
  return count;
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
