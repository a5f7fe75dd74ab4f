import type { Item, TablePort } from './batches.ts';
import { formatCursor, type Page, pageLimit, parseCursor } from './page.ts';
import { allItems, type KeyRange, queryItems } from './query-items.ts';
import { firstTimeMs, lastTimeMs } from './time-key.ts';
import {
  allWatermarks,
  dayOf,
  daysFrom,
  fromMarkItem,
  fromPartialItem,
  fromWatermarkItem,
  groupPrefix,
  isoOf,
  lateSamplesMax,
  reachedMs,
  type WindowMark,
  type WindowPartial,
  windowsKey,
} from './window-items.ts';

export interface WindowFilter {
  readonly definition: string;
  readonly group?: string;
  /** Start of the window, half-open [fromMs, toMs). */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** By start; newest first where nothing is said. */
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
  readonly cursor?: string;
}

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
  /** This count is what the newest mark of the window says. */
  readonly final: boolean;
  /** The revision that this count is final in, or will be. */
  readonly revision: number;
  /** The lowest watermark of any live shard; null while one has not begun. */
  readonly watermark: string | null;
  /** When the newest part of the count was written. */
  readonly as_of: string;
}

/** Items read per page (one per window, group and shard): a rare group ends a page early, with a cursor to go on. */
const itemsPerPageMax = 20_000;

/** Where a page begins: behind `key`, or at the beginning of the day. */
interface Place {
  readonly day: string;
  readonly key?: string;
}

/** The partials of one group in one window; never empty. */
interface Group {
  readonly first: WindowPartial;
  readonly partials: readonly WindowPartial[];
  readonly updatedAtMs: number;
}

/** See WindowStore.list. */
export async function listWindows(
  port: TablePort,
  filter: WindowFilter,
  signal?: AbortSignal,
): Promise<Page<WindowRow>> {
  const { definition, group, fromMs, toMs, order, cursor } = filter;
  const scope = ['windows', definition, group, fromMs, toMs, order];
  const from = cursor === undefined ? undefined : (parseCursor(scope, cursor) as Place);
  const { groups, next } = await collect(port, filter, from, signal);
  const watermarks = (await allItems(port, allWatermarks, signal)).map(fromWatermarkItem);
  const marks = await newestMarks(port, filter.definition, groups, signal);
  return {
    items: groups.map((found) => rowOf(found, marks, Math.min(...watermarks.map(reachedMs)))),
    next_cursor: next === undefined ? null : formatCursor(scope, next),
  };
}

async function collect(
  port: TablePort,
  filter: WindowFilter,
  from: Place | undefined,
  signal?: AbortSignal,
): Promise<{ readonly groups: readonly Group[]; readonly next: Place | undefined }> {
  const limit = pageLimit(filter.limit);
  const found: Group[] = [];
  let read = 0;
  for (const day of await daysOf(port, filter, from, signal)) {
    const keys = keysOf(filter, day, day === from?.day ? from.key : undefined);
    for await (const group of groupsOf(queryItems(port, keys, signal))) {
      read += group.partials.length;
      if (filter.group === undefined || group.first.group === filter.group) found.push(group);
      if (found.length >= limit || read >= itemsPerPageMax) {
        return { groups: found, next: { day, key: boundaryOf(group, filter) } };
      }
    }
  }
  return { groups: found, next: undefined };
}

async function* groupsOf(items: AsyncIterable<Item>): AsyncGenerator<Group> {
  let group: Group | undefined;
  for await (const item of items) {
    const partial = fromPartialItem(item);
    const updatedAtMs = Number(item['updated_at']);
    if (group && group.first.startMs === partial.startMs && group.first.group === partial.group) {
      const partials = [...group.partials, partial];
      group = { ...group, partials, updatedAtMs: Math.max(group.updatedAtMs, updatedAtMs) };
    } else {
      if (group) yield group;
      group = { first: partial, partials: [partial], updatedAtMs };
    }
  }
  if (group) yield group;
}

/** The partials of a day; `after` is where the page before ended. */
function keysOf(filter: WindowFilter, day: string, after: string | undefined): KeyRange {
  const descending = filter.order !== 'asc';
  const low = `p#${isoOf(filter.fromMs ?? firstTimeMs)}`;
  const high = `p#${isoOf(filter.toMs ?? lastTimeMs)}`;
  const rest = descending ? { low, high: after ?? high } : { low: after ?? low, high };
  return { hash: ['pk', windowsKey(filter.definition, day)], range: 'sk', ...rest, descending };
}

/** The key behind (or, newest first, before) all partials of the group. */
function boundaryOf({ first }: Group, filter: WindowFilter): string {
  const prefix = groupPrefix(first.startMs, first.group);
  return filter.order === 'asc' ? `${prefix}~` : prefix;
}

async function daysOf(
  port: TablePort,
  { definition, fromMs = firstTimeMs, toMs = lastTimeMs, order }: WindowFilter,
  from: Place | undefined,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const ascending = order === 'asc';
  const firstDay = ascending && from ? from.day : dayOf(fromMs);
  const lastDay = !ascending && from ? from.day : dayOf(toMs);
  const keys = { ...daysFrom(definition, firstDay, lastDay), descending: !ascending };
  return (await allItems(port, keys, signal)).map(({ sk }) => String(sk).slice(definition.length + 1));
}

/** By start of the window. */
async function newestMarks(
  port: TablePort,
  definition: string,
  groups: readonly Group[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, WindowMark>> {
  const newest = new Map<number, WindowMark>();
  const starts = groups.map(({ first }) => first.startMs);
  for (const day of new Set(starts.map(dayOf))) {
    const ofDay = starts.filter((start) => dayOf(start) === day);
    const [low, high] = [`r#${isoOf(Math.min(...ofDay))}`, `r#${isoOf(Math.max(...ofDay))}#~`];
    const keys: KeyRange = { hash: ['pk', windowsKey(definition, day)], range: 'sk', low, high };
    for await (const item of queryItems(port, keys, signal)) {
      const mark = fromMarkItem(item);
      newest.set(mark.startMs, mark);
    }
  }
  return newest;
}

function rowOf(
  { first, partials, updatedAtMs }: Group,
  marks: ReadonlyMap<number, WindowMark>,
  reached: number,
): WindowRow {
  const count = partials.reduce((sum, partial) => sum + partial.count, 0);
  const mark = marks.get(first.startMs);
  const final = mark !== undefined && countIn(mark, first.group, count) === count;
  return {
    definition: first.definition,
    start: boundaryText(first.startMs),
    end: boundaryText(first.startMs + first.sizeMs),
    group: first.group,
    count,
    late_count: partials.reduce((sum, { late }) => sum + late.count, 0),
    late_by: first.late.by.map((_, at) => partials.reduce((sum, { late }) => sum + (late.by[at] ?? 0), 0)),
    late_samples: partials.flatMap(({ late }) => late.samples).slice(0, lateSamplesMax),
    final,
    revision: final ? mark.revision : (mark?.revision ?? 0) + 1,
    watermark: Number.isFinite(reached) ? isoOf(reached - first.latenessMs) : null,
    as_of: isoOf(updatedAtMs),
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
