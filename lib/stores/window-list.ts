import type { Item, TablePort } from './batches.ts';
import { formatCursor, type Page, pageLimit, parseCursor } from './page.ts';
import { allItems, type KeyRange, queryItems } from './query-items.ts';
import { firstTimeMs, lastTimeMs } from './time-key.ts';
import { dayOf, daysFrom, fromEntryItem, isoOf, reachedMs, windowsKey } from './window-items.ts';
import type { WindowMark } from './window-marks.ts';
import { bucketReachMs } from './window-parts.ts';
import { mergeBucket, type MergedCount, rowOf, type WindowRow } from './window-rows.ts';
import { readWatermarks } from './window-watermarks.ts';

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

/** Counts looked at per page, to the end of a bucket: a rare group ends a page early, with a cursor to go on. */
const countsPerPageMax = 20_000;

/** The last row that the page before looked at. */
type Place = Pick<MergedCount, 'startMs' | 'key'>;

/** See WindowStore.list. */
export async function listWindows(
  port: TablePort,
  filter: WindowFilter,
  signal?: AbortSignal,
): Promise<Page<WindowRow>> {
  const { definition, group, fromMs, toMs, order, cursor } = filter;
  const scope = ['windows', definition, group, fromMs, toMs, order];
  const after = cursor === undefined ? undefined : (parseCursor(scope, cursor) as Place);
  // Before the counts: a window without events in time, in a range that had been passed, had none when it was passed.
  const { shards, passedMs } = await readWatermarks(port, signal);
  const { found, next } = await collect(port, filter, after, signal);
  // Behind the counts: a mark that is newer than they are shows them as not final.
  const marks = await newestMarks(port, definition, found, signal);
  const progress = { marks, passedMs, reachedMs: Math.min(...shards.map(reachedMs)) };
  return {
    items: found.map((merged) => rowOf(merged, progress)),
    next_cursor: next === undefined ? null : formatCursor(scope, next),
  };
}

async function collect(
  port: TablePort,
  filter: WindowFilter,
  after: Place | undefined,
  signal?: AbortSignal,
): Promise<{ readonly found: readonly MergedCount[]; readonly next: Place | undefined }> {
  const limit = pageLimit(filter.limit);
  const found: MergedCount[] = [];
  let looked = 0;
  for (const day of await daysOf(port, filter, after, signal)) {
    for await (const items of bucketsOf(queryItems(port, keysOf(filter, day, after), signal))) {
      const ascending = mergeBucket(items).filter((merged) => isBetween(merged, filter, after));
      const rows = filter.order === 'asc' ? ascending : ascending.toReversed();
      for (const row of rows) {
        if (filter.group === undefined || row.group === filter.group) found.push(row);
        if (found.length >= limit) return { found, next: placeOf(row) };
      }
      looked += rows.length;
      const last = rows.at(-1);
      if (last && looked >= countsPerPageMax) return { found, next: placeOf(last) };
    }
  }
  return { found, next: undefined };
}

/** Neighbours of one bucket: all shards, all parts. */
async function* bucketsOf(items: AsyncIterable<Item>): AsyncGenerator<readonly Item[]> {
  let bucket: Item[] = [];
  for await (const item of items) {
    if (bucket[0] && bucket[0]['bucket'] !== item['bucket']) {
      yield bucket;
      bucket = [];
    }
    bucket.push(item);
  }
  if (bucket.length > 0) yield bucket;
}

function isBetween(
  { startMs, key }: MergedCount,
  { fromMs = firstTimeMs, toMs = lastTimeMs, order }: WindowFilter,
  after: Place | undefined,
): boolean {
  if (startMs < fromMs || startMs >= toMs) return false;
  if (after === undefined) return true;
  return order === 'asc' ? key > after.key : key < after.key;
}

function placeOf({ startMs, key }: MergedCount): Place {
  return { startMs, key };
}

/** The first and the last start that can still come. */
function bounds({ fromMs = firstTimeMs, toMs = lastTimeMs, order }: WindowFilter, after: Place | undefined) {
  return order === 'asc'
    ? { firstMs: after?.startMs ?? fromMs, lastMs: toMs }
    : { firstMs: fromMs, lastMs: after?.startMs ?? toMs };
}

/** The parts of a day whose buckets may have windows that can still come. */
function keysOf(filter: WindowFilter, day: string, after: Place | undefined): KeyRange {
  const { firstMs, lastMs } = bounds(filter, after);
  return {
    hash: ['pk', windowsKey(filter.definition, day)],
    range: 'sk',
    ...bucketKeys('p', firstMs, lastMs),
    descending: filter.order !== 'asc',
  };
}

/** `~` sorts behind every shard and number. */
function bucketKeys(kind: 'p' | 'r', firstMs: number, lastMs: number) {
  return { low: `${kind}#${isoOf(firstMs - bucketReachMs)}`, high: `${kind}#${isoOf(lastMs)}#~` };
}

async function daysOf(
  port: TablePort,
  filter: WindowFilter,
  after: Place | undefined,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const { definition, order } = filter;
  const { firstMs, lastMs } = bounds(filter, after);
  const keys = { ...daysFrom(definition, dayOf(firstMs), dayOf(lastMs)), descending: order !== 'asc' };
  return (await allItems(port, keys, signal)).map(({ sk }) => String(sk).slice(definition.length + 1));
}

/** By start of the window. */
async function newestMarks(
  port: TablePort,
  definition: string,
  rows: readonly MergedCount[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, WindowMark>> {
  const newest = new Map<number, WindowMark>();
  const starts = rows.map(({ startMs }) => startMs);
  for (const day of new Set(starts.map(dayOf))) {
    const ofDay = starts.filter((start) => dayOf(start) === day);
    const range = bucketKeys('r', Math.min(...ofDay), Math.max(...ofDay));
    const keys: KeyRange = { hash: ['pk', windowsKey(definition, day)], range: 'sk', ...range };
    // In order of the entries, so a later one takes the place of an earlier.
    for await (const item of queryItems(port, keys, signal)) {
      for (const mark of fromEntryItem(item).marks) newest.set(mark.startMs, mark);
    }
  }
  return newest;
}
