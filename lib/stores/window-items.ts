import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Item } from './batches.ts';
import { gzip } from './gzip.ts';
import type { KeyRange } from './query-items.ts';

/**
 * Table `windows`, hash `pk` and range `sk`:
 *
 * | pk                       | sk                                | what |
 * |--------------------------|-----------------------------------|------|
 * | `<definition>#<day>`     | `p#<start>#<group>#<stream>/<shard>` | partial: what one shard counted in one window |
 * | `<definition>#<day>`     | `r#<start>#<revision>`            | mark: the counts that were final at this revision |
 * | `days`                   | `<definition>#<day>`              | directory: days that have partials |
 * | `watermarks`             | `<stream>/<shard>`                | how far event time has come in the shard |
 *
 * `day` is the day of the window's start, `start` its ISO text in UTC.
 */
export interface WindowPartial {
  readonly definition: string;
  readonly startMs: number;
  readonly sizeMs: number;
  readonly latenessMs: number;
  readonly group: string;
  /** `stream/shard`. */
  readonly shard: string;
  /** Events that were in time. */
  readonly count: number;
  readonly late: LateTally;
  /** Key (position-key.ts) of the last record that this includes: records up to it do not change it again. */
  readonly lastPosition: string;
}

export interface LateTally {
  readonly count: number;
  /** Per bucket of `lateBuckets`: how long the window had been closed, by the shard's watermark. */
  readonly by: readonly number[];
  /** Ids of the first ones, at most `lateSamplesMax`. */
  readonly samples: readonly string[];
}

/** Upper ends of the buckets, ms; the last bucket has none. */
export const lateBuckets = [60_000, 600_000, 3_600_000, 86_400_000] as const;
export const lateSamplesMax = 10;
export const noneLate: LateTally = { count: 0, by: [0, 0, 0, 0, 0], samples: [] };

/** The counts of a window when every live shard's watermark had passed its end. A later revision never removes it. */
export interface WindowMark {
  readonly definition: string;
  readonly startMs: number;
  /** From 1. */
  readonly revision: number;
  /** Events in time, per group; undefined where there were too many groups for one item. */
  readonly groups: Readonly<Record<string, number>> | undefined;
  /** Of the groups' counts; two marks with equal digests have equal counts. */
  readonly digest: string;
}

export interface ShardWatermark {
  /** `stream/shard`. */
  readonly shard: string;
  /** Largest event time that the shard has shown; absent while it has shown none. */
  readonly maxTimeMs?: number;
  /** The clock, while the shard is caught up and empty; absent while it is not. */
  readonly clockMs?: number;
  /** Read to its end: it holds no window back any more. */
  readonly ended: boolean;
  readonly updatedAtMs: number;
}

/** Event time has come so far in this shard; a definition's watermark lies its lateness behind. */
export function reachedMs({ maxTimeMs, clockMs, ended }: ShardWatermark): number {
  if (ended) return Number.POSITIVE_INFINITY;
  return Math.max(maxTimeMs ?? Number.NEGATIVE_INFINITY, clockMs ?? Number.NEGATIVE_INFINITY);
}

export function dayOf(startMs: number): string {
  return isoOf(startMs).slice(0, 10);
}

export function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

export function windowsKey(definition: string, day: string): string {
  return `${definition}#${day}`;
}

/** `~` sorts behind every day and every shard. */
export function daysFrom(definition: string, firstDay: string, lastDay = '~'): KeyRange {
  const [low, high] = [windowsKey(definition, firstDay), windowsKey(definition, lastDay)];
  return { hash: ['pk', 'days'], range: 'sk', low, high };
}

export const allWatermarks: KeyRange = { hash: ['pk', 'watermarks'], range: 'sk', low: ' ', high: '~' };

export type PartialKey = Pick<WindowPartial, 'definition' | 'startMs' | 'group' | 'shard'>;

export function partialKey({ definition, startMs, group, shard }: PartialKey): {
  readonly pk: string;
  readonly sk: string;
} {
  return { pk: windowsKey(definition, dayOf(startMs)), sk: `${groupPrefix(startMs, group)}${shard}` };
}

/** All partials of one group in one window begin with it. */
export function groupPrefix(startMs: number, group: string): string {
  return `p#${isoOf(startMs)}#${groupKey(group)}#`;
}

export function markKey({
  definition,
  startMs,
  revision,
}: Pick<WindowMark, 'definition' | 'startMs' | 'revision'>) {
  const sk = `r#${isoOf(startMs)}#${String(revision).padStart(6, '0')}`;
  return { pk: windowsKey(definition, dayOf(startMs)), sk };
}

/** A sort key takes 1,024 bytes; a longer group is named by its hash. Neither form has a bare `~` or `#` inside. */
function groupKey(group: string): string {
  const encoded = encodeURIComponent(group).replaceAll('~', '%7E');
  return encoded.length <= 512 ? encoded : `~${createHash('sha256').update(group).digest('hex')}`;
}

export function toPartialItem(partial: WindowPartial, fence: number, nowMs: number): Item {
  const { count, late } = partial;
  return {
    ...partialKey(partial),
    definition: partial.definition,
    start: partial.startMs,
    size: partial.sizeMs,
    lateness: partial.latenessMs,
    group: partial.group,
    shard: partial.shard,
    count,
    ...(late.count > 0 ? { late_count: late.count, late_by: late.by, late_samples: late.samples } : {}),
    last_position: partial.lastPosition,
    fence,
    updated_at: nowMs,
  };
}

export function fromPartialItem(item: Item): WindowPartial {
  const late = item['late_count'] as number | undefined;
  return {
    definition: String(item['definition']),
    startMs: Number(item['start']),
    sizeMs: Number(item['size']),
    latenessMs: Number(item['lateness']),
    group: String(item['group']),
    shard: String(item['shard']),
    count: Number(item['count']),
    late:
      late === undefined
        ? noneLate
        : {
            count: late,
            by: item['late_by'] as readonly number[],
            samples: item['late_samples'] as readonly string[],
          },
    lastPosition: String(item['last_position']),
  };
}

/** gzip of the groups' counts above which a mark keeps their digest only: an item ends at 400 KB. */
const groupsBytesMax = 350_000;

export function toMarkItem(mark: WindowMark, nowMs: number): Item {
  const groups = gzip(Buffer.from(JSON.stringify(mark.groups ?? null)));
  return {
    ...markKey(mark),
    definition: mark.definition,
    start: mark.startMs,
    revision: mark.revision,
    digest: mark.digest,
    final_at: nowMs,
    ...(groups.length <= groupsBytesMax ? { groups } : {}),
  };
}

export function fromMarkItem(item: Item): WindowMark {
  const packed = item['groups'];
  const groups: unknown =
    packed instanceof Uint8Array ? JSON.parse(gunzipSync(packed).toString()) : undefined;
  return {
    definition: String(item['definition']),
    startMs: Number(item['start']),
    revision: Number(item['revision']),
    digest: String(item['digest']),
    groups: groups as WindowMark['groups'],
  };
}

/** The mark that the counts of a window's groups would make. */
export function markOf(
  window: { readonly definition: string; readonly startMs: number },
  revision: number,
  counts: ReadonlyMap<string, number>,
): WindowMark {
  const groups = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  const digest = createHash('sha256').update(JSON.stringify(groups)).digest('base64url');
  return {
    definition: window.definition,
    startMs: window.startMs,
    revision,
    digest,
    groups: Object.fromEntries(groups),
  };
}

export function toWatermarkItem(watermark: ShardWatermark, fence: number): Item {
  return {
    pk: 'watermarks',
    sk: watermark.shard,
    ...(watermark.maxTimeMs === undefined ? {} : { max_time: watermark.maxTimeMs }),
    ...(watermark.clockMs === undefined ? {} : { clock: watermark.clockMs }),
    ended: watermark.ended,
    fence,
    updated_at: watermark.updatedAtMs,
  };
}

export function fromWatermarkItem(item: Item): ShardWatermark {
  return {
    shard: String(item['sk']),
    ...(item['max_time'] === undefined ? {} : { maxTimeMs: Number(item['max_time']) }),
    ...(item['clock'] === undefined ? {} : { clockMs: Number(item['clock']) }),
    ended: item['ended'] === true,
    updatedAtMs: Number(item['updated_at']),
  };
}
