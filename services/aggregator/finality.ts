import { reachedMs, type ShardWatermark } from '../../lib/stores/window-items.ts';
import { inEntries, type MarkEntry, markOf, type WindowMark } from '../../lib/stores/window-marks.ts';
import type { WindowPart } from '../../lib/stores/window-parts.ts';
import type { StartRange } from '../../lib/stores/windows.ts';

/**
 * How far event time has come in every live shard: the lowest of them. A shard that is listed but has not begun holds
 * everything back. The shards must be listed *after* the watermarks were read: the children of a shard that had
 * ended by then are in the list.
 */
export function reachedByAll(shards: readonly string[], watermarks: readonly ShardWatermark[]): number {
  const reached = new Map(watermarks.map((watermark) => [watermark.shard, reachedMs(watermark)]));
  return shards.reduce(
    (lowest, shard) => Math.min(lowest, reached.get(shard) ?? Number.NEGATIVE_INFINITY),
    Number.POSITIVE_INFINITY,
  );
}

/**
 * The marks that windows of the range miss, as the next entries of each bucket: revision 1 of a window that has events
 * in time and no mark, the next revision of one whose counts have changed since its newest mark. `entries` must have
 * been read *before* `parts`: then a difference can only mean that the parts are newer.
 */
export function missingMarks(
  { definition, fromMs, toMs }: StartRange,
  parts: readonly WindowPart[],
  entries: readonly MarkEntry[],
): readonly (readonly MarkEntry[])[] {
  const newest = new Map<number, WindowMark>();
  const last = new Map<number, number>();
  for (const { bucketMs, number, marks } of entries) {
    last.set(bucketMs, number);
    for (const mark of marks) newest.set(mark.startMs, mark);
  }
  return [...inTimeByBucket(parts)].map(([bucketMs, windows]) => {
    const missing = [...windows].flatMap(([startMs, counts]) => {
      if (startMs < fromMs || startMs >= toMs) return [];
      const before = newest.get(startMs);
      const next = markOf(startMs, (before?.revision ?? 0) + 1, counts);
      return next.digest === before?.digest ? [] : next;
    });
    const first = (last.get(bucketMs) ?? 0) + 1;
    return inEntries(missing).map((marks, at) => ({ definition, bucketMs, number: first + at, marks }));
  });
}

/** Per bucket and window: events in time per group, over all shards; a window that has none is not there. */
function inTimeByBucket(
  parts: readonly WindowPart[],
): ReadonlyMap<number, ReadonlyMap<number, ReadonlyMap<string, number>>> {
  const buckets = new Map<number, Map<number, Map<string, number>>>();
  for (const { bucketMs, counts } of parts) {
    const windows = buckets.get(bucketMs) ?? new Map<number, Map<string, number>>();
    buckets.set(bucketMs, windows);
    for (const { startMs, group, count } of counts.values()) {
      if (count === 0) continue;
      const groups = windows.get(startMs) ?? new Map<string, number>();
      windows.set(startMs, groups.set(group, (groups.get(group) ?? 0) + count));
    }
  }
  return buckets;
}
