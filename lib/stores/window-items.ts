import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Item } from './batches.ts';
import { gzip } from './gzip.ts';
import type { KeyRange } from './query-items.ts';
import type { MarkEntry, WindowMark } from './window-marks.ts';
import { countName, type LateTally, noneLate, type WindowCount, type WindowPart } from './window-parts.ts';

/**
 * Table `windows`, hash `pk` and range `sk`:
 *
 * | pk                   | sk                                   | what |
 * |----------------------|--------------------------------------|------|
 * | `<definition>#<day>` | `p#<bucket>#<stream>/<shard>#<part>` | what one shard counted in a bucket of windows |
 * | `<definition>#<day>` | `r#<bucket>#<entry>`                 | marks: the counts that were final, per window and revision |
 * | `days`               | `<definition>#<day>`                 | directory: days that have parts |
 * | `watermarks`         | `<stream>/<shard>`                   | how far event time has come in the shard |
 * | `watermarks`         | `all`                                | how far it had come in all of them |
 *
 * `bucket` is the ISO text, in UTC, of the start of the bucket, `day` its day; part and entry are numbers.
 */
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

export function dayOf(timeMs: number): string {
  return isoOf(timeMs).slice(0, 10);
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
/** No shard is named so: a shard's name has a `/`. */
export const passedKey = { pk: 'watermarks', sk: 'all' } as const;

export type ItemKey = { readonly pk: string; readonly sk: string };

export type PartKey = Pick<WindowPart, 'definition' | 'bucketMs' | 'shard' | 'number'>;

export function partKey({ definition, bucketMs, shard, number }: PartKey): ItemKey {
  return {
    pk: windowsKey(definition, dayOf(bucketMs)),
    sk: `p#${isoOf(bucketMs)}#${shard}#${inDigits(number)}`,
  };
}

export function entryKey({ definition, bucketMs, number }: Omit<MarkEntry, 'marks'>): ItemKey {
  return { pk: windowsKey(definition, dayOf(bucketMs)), sk: `r#${isoOf(bucketMs)}#${inDigits(number)}` };
}

function inDigits(number: number): string {
  return String(number).padStart(6, '0');
}

/** Rows are listed by it: by start, then by group. */
export function rowKey({ startMs, group }: Pick<WindowCount, 'startMs' | 'group'>): string {
  return `${isoOf(startMs)}#${groupKey(group)}#`;
}

/** A cursor should stay short: a longer group is named by its hash. Neither form has a bare `~` or `#` inside. */
function groupKey(group: string): string {
  const encoded = encodeURIComponent(group).replaceAll('~', '%7E');
  return encoded.length <= 512 ? encoded : `~${createHash('sha256').update(group).digest('hex')}`;
}

/** One count in a part's `counts`: gzip of the JSON of all of them. The last two are left out where none was late. */
type PackedCount = readonly [
  behindBucketMs: number,
  group: string,
  count: number,
  lateBy?: readonly number[],
  lateSamples?: readonly string[],
];

export function toPartItem(part: WindowPart, fence: number, nowMs: number): Item {
  const packed = [...part.counts.values()].map(({ startMs, group, count, late }): PackedCount => {
    const inTime = [startMs - part.bucketMs, group, count] as const;
    return late.count === 0 ? inTime : [...inTime, late.by, late.samples];
  });
  return {
    ...partKey(part),
    definition: part.definition,
    bucket: part.bucketMs,
    size: part.sizeMs,
    lateness: part.latenessMs,
    shard: part.shard,
    part: part.number,
    counts: pack(packed),
    full: part.full,
    last_position: part.lastPosition,
    fence,
    updated_at: nowMs,
  };
}

export function fromPartItem(item: Item): WindowPart {
  const bucketMs = Number(item['bucket']);
  const counts = (unpack(item['counts']) as readonly PackedCount[]).map(
    ([behindMs, group, count, by, samples]): [string, WindowCount] => {
      const startMs = bucketMs + behindMs;
      return [countName({ startMs, group }), { startMs, group, count, late: lateOf(by, samples) }];
    },
  );
  return {
    definition: String(item['definition']),
    bucketMs,
    sizeMs: Number(item['size']),
    latenessMs: Number(item['lateness']),
    shard: String(item['shard']),
    number: Number(item['part']),
    counts: new Map(counts),
    full: item['full'] === true,
    lastPosition: String(item['last_position']),
  };
}

function lateOf(by: readonly number[] | undefined, samples: readonly string[] = []): LateTally {
  if (by === undefined) return noneLate;
  return { count: by.reduce((sum, count) => sum + count, 0), by, samples };
}

type PackedMark = readonly [
  behindBucketMs: number,
  revision: number,
  digest: string,
  groups: Readonly<Record<string, number>> | null,
];

/** gzip of the marks above which they keep their digests only: an item ends at 400 KB. */
const marksBytesMax = 350_000;

export function toEntryItem(entry: MarkEntry, nowMs: number): Item {
  const whole = packMarks(entry, ({ groups }) => groups);
  return {
    ...entryKey(entry),
    definition: entry.definition,
    bucket: entry.bucketMs,
    entry: entry.number,
    marks: whole.length <= marksBytesMax ? whole : packMarks(entry, () => undefined),
    final_at: nowMs,
  };
}

function packMarks(
  { bucketMs, marks }: MarkEntry,
  groupsOf: (mark: WindowMark) => WindowMark['groups'],
): Uint8Array {
  return pack(
    marks.map((mark): PackedMark => {
      return [mark.startMs - bucketMs, mark.revision, mark.digest, groupsOf(mark) ?? null];
    }),
  );
}

export function fromEntryItem(item: Item): MarkEntry {
  const bucketMs = Number(item['bucket']);
  return {
    definition: String(item['definition']),
    bucketMs,
    number: Number(item['entry']),
    marks: (unpack(item['marks']) as readonly PackedMark[]).map(([behindMs, revision, digest, groups]) => {
      return { startMs: bucketMs + behindMs, revision, digest, groups: groups ?? undefined };
    }),
  };
}

function pack(value: unknown): Uint8Array {
  return gzip(Buffer.from(JSON.stringify(value)));
}

function unpack(packed: unknown): unknown {
  return JSON.parse(gunzipSync(packed as Uint8Array).toString());
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
