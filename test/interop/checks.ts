import { compareSequenceNumbers } from '../../lib/streams/position.ts';
import type { Shard } from '../../lib/streams/kinesis.ts';
import type { WireItem, Write } from './lease-log.ts';
import type { Line } from './lines.ts';

export interface PutRecord {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly partitionKey: string;
}

/** All that happened to one stream and its lease table, on one wall clock. */
export interface History {
  readonly failoverMs: number;
  /** Ids of the workers that are not Java's. */
  readonly ours: ReadonlySet<string>;
  readonly shards: readonly Shard[];
  readonly puts: readonly PutRecord[];
  readonly lines: readonly Line[];
  readonly writes: readonly Write[];
  /** When each dead worker's process ended. */
  readonly deaths: ReadonlyMap<string, number>;
  /** From here to there each open shard must have somebody who reads it, with pauses of at most `ownedMs`. */
  readonly window: { readonly fromMs: number; readonly toMs: number; readonly ownedMs: number };
}

export const invariants = ['I1', 'I2', 'I3', 'I5', 'I6', 'I7'] as const;
export type Invariant = (typeof invariants)[number];

/** What broke each invariant; empty where it holds. */
export type Verdict = { readonly [I in Invariant]: readonly string[] };

/** Judges a history by the invariants of the lease protocol. Pure. */
export function judge(history: History): Verdict {
  return {
    I1: missingRecords(history),
    I2: [...disorder(history), ...childrenBeforeParents(history)],
    I3: checkpointsGoneBack(history.writes),
    I5: [...foreignCheckpoints(history.writes), ...deliveriesAfterLoss(history)],
    I6: longPauses(history),
    I7: unreadableItems(history.writes),
  };
}

const ends = 'SHARD_END';

/** Order of KCL: sentinels of a beginning, numbers, the end. */
export function compareCheckpoints(a: string, b: string): number {
  const rank = (text: string): number => (text === ends ? 2 : /^\d/.test(text) ? 1 : 0);
  return rank(a) - rank(b) || (rank(a) === 1 ? compareSequenceNumbers(a, b) : 0);
}

/** I1: what lies before a shard's last checkpoint was given to somebody. */
function missingRecords({ lines, puts, writes }: History): readonly string[] {
  const delivered = new Set(
    lines.flatMap((line) =>
      line.event === 'batch' ? line.records.map(([, number]) => `${line.shard} ${number}`) : [],
    ),
  );
  const last = new Map<string, string>();
  for (const { item, leaseKey } of writes) {
    if (item?.checkpoint?.S !== undefined) last.set(leaseKey, item.checkpoint.S);
  }
  return puts
    .filter(({ shardId, sequenceNumber }) => {
      const done = compareCheckpoints(sequenceNumber, last.get(shardId) ?? 'TRIM_HORIZON') <= 0;
      return done && !delivered.has(`${shardId} ${sequenceNumber}`);
    })
    .map(({ shardId, sequenceNumber }) => `${shardId} ${sequenceNumber} was passed over`);
}

/** I2, first half: within one acquisition nothing is given twice or out of order, so no key is. */
function disorder({ lines }: History): readonly string[] {
  const latest = new Map<string, string>();
  const found: string[] = [];
  for (const line of lines) {
    if (line.event === 'begin') latest.delete(`${line.worker} ${line.shard}`);
    if (line.event !== 'batch') continue;
    const tenure = `${line.worker} ${line.shard}`;
    for (const [, number] of line.records) {
      const before = latest.get(tenure);
      if (before !== undefined && compareSequenceNumbers(before, number) >= 0) {
        found.push(`${tenure}: ${number} after ${before}`);
      }
      latest.set(tenure, number);
    }
  }
  return found;
}

/** I2, second half: a child is read when its parents' ends are in the table. */
function childrenBeforeParents({ lines, shards, writes }: History): readonly string[] {
  const endedAtMs = new Map<string, number>();
  for (const { at, item, leaseKey } of writes) {
    if (item?.checkpoint?.S === ends && !endedAtMs.has(leaseKey)) endedAtMs.set(leaseKey, at);
  }
  const parents = new Map(shards.map((shard) => [shard.shardId, shard.parents]));
  return lines.flatMap((line) => {
    if (line.event !== 'batch') return [];
    const early = (parents.get(line.shard) ?? []).filter(
      (parent) => (endedAtMs.get(parent) ?? Number.POSITIVE_INFINITY) > line.at,
    );
    return early.map((parent) => `${line.worker} read ${line.shard} before the end of ${parent}`);
  });
}

function checkpointsGoneBack(writes: readonly Write[]): readonly string[] {
  return writes.flatMap(({ before, item, leaseKey, writer }) => {
    const [from, to] = [before?.checkpoint?.S, item?.checkpoint?.S];
    const back = from !== undefined && to !== undefined && compareCheckpoints(to, from) < 0;
    return back ? [`${writer} moved ${leaseKey} back from ${from} to ${to}`] : [];
  });
}

export function ownerOf(item: WireItem | undefined): string | undefined {
  return item?.checkpointOwner?.S ?? item?.leaseOwner?.S;
}

/** I5, in the table: a checkpoint moves by its owner's hand only. */
function foreignCheckpoints(writes: readonly Write[]): readonly string[] {
  return writes.flatMap(({ before, item, leaseKey, writer }) => {
    if (before === undefined || item === undefined) return [];
    const moved = before.checkpoint?.S !== item.checkpoint?.S;
    return moved && ownerOf(before) !== writer ? [`${writer} moved ${leaseKey} of ${ownerOf(before)}`] : [];
  });
}

/**
 * I5, in the workers: ours, when robbed, learns of it with its next renewal. By the failover time after the loss it
 * gives nothing more to anybody. KCL goes through what it has prefetched, each checkpoint of which is refused: that is
 * counted (see lateDeliveries), not judged.
 */
function deliveriesAfterLoss(history: History): readonly string[] {
  return lateDeliveries(history, history.failoverMs)
    .filter((line) => history.ours.has(line.worker))
    .map(({ at, shard, worker }) => `${worker} delivered ${shard} at ${at} without owning it`);
}

type Batch = Extract<Line, { event: 'batch' }>;

/** Batches of a worker that had lost the shard's lease by more than `graceMs` before. */
export function lateDeliveries(
  { lines, writes }: Pick<History, 'lines' | 'writes'>,
  graceMs: number,
): readonly Batch[] {
  const owners = ownersOverTime(writes);
  return lines.filter((line): line is Batch => {
    if (line.event !== 'batch') return false;
    // A write is seen here before its writer knows of it, so an owner's turn is never too late.
    const owned = (owners.get(line.shard) ?? []).some(
      (turn) => turn.owner === line.worker && turn.fromMs <= line.at && line.at <= turn.toMs + graceMs,
    );
    return !owned;
  });
}

export interface Turn {
  readonly owner: string | undefined;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Who has owned each lease, and when. */
export function ownersOverTime(writes: readonly Write[]): ReadonlyMap<string, readonly Turn[]> {
  const turns = new Map<string, Turn[]>();
  for (const { at, item, leaseKey } of writes) {
    const known = turns.get(leaseKey) ?? [];
    turns.set(leaseKey, known);
    const last = known.at(-1);
    const owner = ownerOf(item);
    if (last !== undefined && last.owner === owner) continue;
    if (last !== undefined) known[known.length - 1] = { ...last, toMs: at };
    known.push({ owner, fromMs: at, toMs: Number.POSITIVE_INFINITY });
  }
  return turns;
}

/** The longest time without a live reader per shard, within the window. */
export function pauses(history: History): ReadonlyMap<string, number> {
  const { fromMs, toMs } = history.window;
  const readers = readingTimes(history);
  const found = new Map<string, number>();
  for (const { shardId, parents } of history.shards) {
    const begins = Math.max(fromMs, ...parents.map((parent) => endOf(parent, history.writes)));
    const finish = Math.min(toMs, endOf(shardId, history.writes));
    let coveredMs = begins;
    let longest = 0;
    for (const { sinceMs, untilMs } of readers.get(shardId) ?? []) {
      if (sinceMs > finish) break;
      longest = Math.max(longest, sinceMs - coveredMs);
      coveredMs = Math.max(coveredMs, untilMs);
    }
    if (begins < finish) found.set(shardId, Math.max(longest, finish - coveredMs));
  }
  return found;
}

function longPauses(history: History): readonly string[] {
  const { ownedMs } = history.window;
  return [...pauses(history)]
    .filter(([, ms]) => ms > ownedMs)
    .map(([shard, ms]) => `${shard} had no reader for ${ms} ms (${ownedMs} allowed)`);
}

function endOf(leaseKey: string, writes: readonly Write[]): number {
  const write = writes.find((one) => one.leaseKey === leaseKey && one.item?.checkpoint?.S === ends);
  return write?.at ?? Number.POSITIVE_INFINITY;
}

interface Reading {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** From each `begin` to its `end`, or to the death of the worker; in order of their beginnings. */
function readingTimes({ deaths, lines }: History): ReadonlyMap<string, readonly Reading[]> {
  const readings = new Map<string, Reading[]>();
  const open = new Map<string, number>();
  const close = (tenure: string, untilMs: number): void => {
    const sinceMs = open.get(tenure);
    const shard = tenure.slice(tenure.indexOf(' ') + 1);
    if (sinceMs !== undefined) readings.set(shard, [...(readings.get(shard) ?? []), { sinceMs, untilMs }]);
    open.delete(tenure);
  };
  for (const line of lines) {
    if (line.event !== 'begin' && line.event !== 'end') continue;
    const tenure = `${line.worker} ${line.shard}`;
    close(tenure, line.at);
    if (line.event === 'begin') open.set(tenure, line.at);
  }
  for (const tenure of open.keys()) {
    close(tenure, deaths.get(tenure.slice(0, tenure.indexOf(' '))) ?? Number.POSITIVE_INFINITY);
  }
  for (const list of readings.values()) list.sort((a, b) => a.sinceMs - b.sinceMs);
  return readings;
}

const mandatory = {
  leaseKey: 'S',
  leaseCounter: 'N',
  ownerSwitchesSinceCheckpoint: 'N',
  checkpoint: 'S',
  checkpointSubSequenceNumber: 'N',
} as const;
const optional = {
  leaseOwner: 'S',
  checkpointOwner: 'S',
  pendingCheckpoint: 'S',
  pendingCheckpointSubSequenceNumber: 'N',
  pendingCheckpointState: 'B',
  parentShardId: 'SS',
  childShardIds: 'SS',
  startingHashKey: 'S',
  endingHashKey: 'S',
  throughputKBps: 'N',
} as const;

/** I7: types as Java's serializer reads them; a missing one of the first five ends its whole scan. */
function unreadableItems(writes: readonly Write[]): readonly string[] {
  return writes.flatMap(({ item, leaseKey, writer }) => {
    const kind = item?.entityType?.S ?? 'LEASE';
    if (item === undefined || kind !== 'LEASE') return [];
    const wrong = [
      ...Object.entries(mandatory).filter(([name, type]) => !holds(item, name, type)),
      ...Object.entries(optional).filter(([name, type]) => name in item && !holds(item, name, type)),
    ];
    return wrong.map(([name]) => `${writer} left ${leaseKey} with a wrong ${name}`);
  });
}

function holds(item: WireItem, name: string, type: string): boolean {
  const value: unknown = (item[name] as Record<string, unknown> | undefined)?.[type];
  return Array.isArray(value) ? value.length > 0 : typeof value === 'string' && value !== '';
}
