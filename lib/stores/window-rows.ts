import type { Item } from './batches.ts';
import { fromPartItem, isoOf, rowKey } from './window-items.ts';
import type { WindowMark } from './window-marks.ts';
import {
  lateSamplesMax,
  type LateTally,
  noneLate,
  type WindowCount,
  type WindowPart,
} from './window-parts.ts';

/** One group of one window, as the API shows it. */
export interface WindowRow {
  readonly definition: string;
  readonly start: string;
  readonly end: string;
  readonly group: string;
  /** Events that were in time. */
  readonly count: number;
  readonly late_count: number;
  /** Late events by how long the window had been closed: under 1 min, 10 min, 1 h, 1 day, more. */
  readonly late_by: readonly number[];
  readonly late_samples: readonly string[];
  /** This count is what the newest mark of the window says, or no event was in time and every shard has passed the end. */
  readonly final: boolean;
  /** The revision that this count is final in, or will be; 0 while no event was in time in any group. */
  readonly revision: number;
  /** The lowest watermark of any live shard; null while one has not begun. */
  readonly watermark: string | null;
  /** When the newest item with a part of the count was written. */
  readonly as_of: string;
}

/** What all shards counted in one window for one group. */
export interface MergedCount extends WindowCount {
  readonly definition: string;
  readonly endMs: number;
  readonly latenessMs: number;
  readonly updatedAtMs: number;
  /** Rows sort by it. */
  readonly key: string;
  /** No group of the window has an event in time. */
  readonly noneInTime: boolean;
}

/** The items of all parts of a bucket, merged; in order of `key`. */
export function mergeBucket(items: readonly Item[]): readonly MergedCount[] {
  const merged = new Map<string, Omit<MergedCount, 'noneInTime'>>();
  const inTime = new Set<number>();
  for (const item of items) {
    const part = fromPartItem(item);
    const updatedAtMs = Number(item['updated_at']);
    for (const [name, count] of part.counts) {
      if (count.count > 0) inTime.add(count.startMs);
      merged.set(name, merge(merged.get(name), part, count, updatedAtMs));
    }
  }
  return [...merged.values()]
    .map((row) => ({ ...row, noneInTime: !inTime.has(row.startMs) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

function merge(
  row: Omit<MergedCount, 'noneInTime'> | undefined,
  part: WindowPart,
  { startMs, group, count, late }: WindowCount,
  updatedAtMs: number,
): Omit<MergedCount, 'noneInTime'> {
  return {
    definition: part.definition,
    startMs,
    endMs: startMs + part.sizeMs,
    latenessMs: part.latenessMs,
    group,
    key: row?.key ?? rowKey({ startMs, group }),
    count: (row?.count ?? 0) + count,
    late: mergeLate(row?.late ?? noneLate, late),
    updatedAtMs: Math.max(row?.updatedAtMs ?? updatedAtMs, updatedAtMs),
  };
}

function mergeLate(a: LateTally, b: LateTally): LateTally {
  return {
    count: a.count + b.count,
    by: a.by.map((count, at) => count + (b.by[at] ?? 0)),
    samples: [...a.samples, ...b.samples].slice(0, lateSamplesMax),
  };
}

export interface Progress {
  /** The newest of each window, by its start. */
  readonly marks: ReadonlyMap<number, WindowMark>;
  /** How far event time has come in the shard that has come least far. */
  readonly reachedMs: number;
  /** See Watermarks; read before the counts were. */
  readonly passedMs: number;
}

export function rowOf(merged: MergedCount, { marks, reachedMs, passedMs }: Progress): WindowRow {
  const { startMs, endMs, latenessMs, group, count, late } = merged;
  const mark = marks.get(startMs);
  const final =
    mark === undefined
      ? merged.noneInTime && endMs <= passedMs - latenessMs
      : countIn(mark, group, count) === count;
  const next = mark === undefined && merged.noneInTime ? 0 : (mark?.revision ?? 0) + 1;
  return {
    definition: merged.definition,
    start: boundaryText(startMs),
    end: boundaryText(endMs),
    group,
    count,
    late_count: late.count,
    late_by: late.by,
    late_samples: late.samples,
    final,
    revision: final ? (mark?.revision ?? 0) : next,
    watermark: Number.isFinite(reachedMs) ? isoOf(reachedMs - latenessMs) : null,
    as_of: isoOf(merged.updatedAtMs),
  };
}

/** A mark of very many groups keeps no counts: then the window as a whole is taken to be as it says. */
function countIn({ groups }: WindowMark, group: string, otherwise: number): number {
  if (groups === undefined) return otherwise;
  return Object.hasOwn(groups, group) ? (groups[group] ?? 0) : 0;
}

/** A boundary of windows, which lies on a whole second: `2026-11-20T08:05:00Z`. */
function boundaryText(timeMs: number): string {
  return isoOf(timeMs).replace('.000Z', 'Z');
}
