import {
  markOf,
  reachedMs,
  type ShardWatermark,
  type WindowMark,
  type WindowPartial,
} from '../../lib/stores/window-items.ts';

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
 * The marks that are missing: revision 1 of a window that has none, the next revision of one whose counts have changed
 * since its newest mark. `marks` must have been read *before* `partials`: then a difference can only mean that the
 * partials are newer.
 */
export function missingMarks(
  partials: readonly WindowPartial[],
  marks: readonly WindowMark[],
): readonly WindowMark[] {
  const newest = new Map<number, WindowMark>();
  for (const mark of marks) {
    if ((newest.get(mark.startMs)?.revision ?? 0) < mark.revision) newest.set(mark.startMs, mark);
  }
  return [...countsByWindow(partials).values()].flatMap(({ definition, startMs, counts }) => {
    const last = newest.get(startMs);
    const next = markOf({ definition, startMs }, (last?.revision ?? 0) + 1, counts);
    return next.digest === last?.digest ? [] : next;
  });
}

interface Window {
  readonly definition: string;
  readonly startMs: number;
  /** Events in time, per group, over all shards. */
  readonly counts: Map<string, number>;
}

function countsByWindow(partials: readonly WindowPartial[]): ReadonlyMap<number, Window> {
  const windows = new Map<number, Window>();
  for (const { definition, startMs, group, count } of partials) {
    const window = windows.get(startMs) ?? { definition, startMs, counts: new Map() };
    windows.set(startMs, window);
    window.counts.set(group, (window.counts.get(group) ?? 0) + count);
  }
  return windows;
}
