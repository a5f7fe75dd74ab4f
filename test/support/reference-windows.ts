import { createHash } from 'node:crypto';
import type { Event } from '../../lib/event/event.ts';

/**
 * What is true of a file of events, worked out the plain way and apart from the product's own aggregator, so
 * that the two can be held against each other. The terms are those of the `definitions` in the files'
 * statistics.
 */
export interface ReferenceWindows {
  readonly records: number;
  /** Distinct window starts. */
  readonly windows: number;
  readonly windowsSha256: string;
  /** Window start (UTC, no fraction) → type → count. */
  readonly byType: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export interface ReferenceLateness {
  readonly byEventTime: number;
  readonly byClosedWindow: number;
  /** The windows without the records that were late by closed window. */
  readonly accepted: ReferenceWindows;
}

export const referenceSizeMs = 300_000;
export const referenceLatenessMs = 600_000;

/** Every event counted under its window and type, late or not. */
export function referenceWindows(events: readonly Event[], sizeMs = referenceSizeMs): ReferenceWindows {
  const byType = new Map<string, Map<string, number>>();
  for (const event of events) {
    const start = isoSecond(windowStart(event, sizeMs));
    const counts = byType.get(start) ?? new Map<string, number>();
    counts.set(event.type, (counts.get(event.type) ?? 0) + 1);
    byType.set(start, counts);
  }
  const rows = [...byType].flatMap(([start, counts]) =>
    [...counts].map(([type, count]) => [start, type, count] as const),
  );
  return { records: events.length, windows: byType.size, windowsSha256: windowsSha256(rows), byType };
}

/**
 * The verdicts of one shard that holds `events` in this order. Before its first event it has no watermark.
 */
export function referenceLateness(
  events: readonly Event[],
  sizeMs = referenceSizeMs,
  latenessMs = referenceLatenessMs,
): ReferenceLateness {
  let watermark = Number.NEGATIVE_INFINITY;
  let byEventTime = 0;
  const accepted: Event[] = [];
  for (const event of events) {
    if (event.timeMs < watermark) byEventTime += 1;
    if (windowStart(event, sizeMs) + sizeMs > watermark) accepted.push(event);
    watermark = Math.max(watermark, event.timeMs - latenessMs);
  }
  return {
    byEventTime,
    byClosedWindow: events.length - accepted.length,
    accepted: referenceWindows(accepted, sizeMs),
  };
}

/** The one-line comparison: sha256 of the lines `start TAB type TAB count`, sorted by their bytes. */
export function windowsSha256(
  rows: readonly (readonly [start: string, type: string, count: number])[],
): string {
  const lines = rows.map(([start, type, count]) => Buffer.from(`${start}\t${type}\t${count}\n`));
  return createHash('sha256')
    .update(Buffer.concat(lines.toSorted((a, b) => a.compare(b))))
    .digest('hex');
}

/** How often each value occurs; values that are absent are not counted. */
export function countsOf(values: Iterable<string | undefined>): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const value of values) if (value !== undefined) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

function windowStart(event: Event, sizeMs: number): number {
  return event.timeMs - (((event.timeMs % sizeMs) + sizeMs) % sizeMs);
}

function isoSecond(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
