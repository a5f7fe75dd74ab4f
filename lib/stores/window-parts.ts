/** What one shard counted in one window for one group. */
export interface WindowCount {
  readonly startMs: number;
  readonly group: string;
  /** Events that were in time. */
  readonly count: number;
  readonly late: LateTally;
}

export interface LateTally {
  readonly count: number;
  /** Per bucket of `lateBuckets`: how long the window had been closed, by the shard's watermark. */
  readonly by: readonly number[];
  /** Ids of the first ones, at most `lateSamplesMax`, fewer where a part has no room for more. */
  readonly samples: readonly string[];
}

/** Upper ends of the buckets, ms; the last bucket has none. */
export const lateBuckets = [60_000, 600_000, 3_600_000, 86_400_000] as const;
export const lateSamplesMax = 10;
export const noneLate: LateTally = { count: 0, by: [0, 0, 0, 0, 0], samples: [] };

/**
 * What one shard counted in a bucket of consecutive windows, or a part of it: one item of the table. Counts stay in the
 * part that they began in; a new one begins in the first part that is not full. So every part depends on the
 * shard's records up to `lastPosition` alone, whoever counted them.
 */
export interface WindowPart {
  readonly definition: string;
  /** Start of the bucket. */
  readonly bucketMs: number;
  readonly sizeMs: number;
  readonly latenessMs: number;
  /** `stream/shard`. */
  readonly shard: string;
  /** From 0. */
  readonly number: number;
  /** By `countName`, in the order in which they began. */
  readonly counts: ReadonlyMap<string, WindowCount>;
  /** Takes no more counts; those that it has go on. Stored, for the next part to be found whatever the limit is then. */
  readonly full: boolean;
  /** Key (position-key.ts) of the last record that this includes: records up to it do not change it again. */
  readonly lastPosition: string;
}

export type BucketKey = Pick<WindowPart, 'definition' | 'bucketMs' | 'shard'>;

/**
 * A bucket is an hour at most: history that is spread over days costs a write per hour and not one per window and group,
 * and an hour is what a flush under traffic writes again. And it has 60 windows at most, because readers take it whole.
 */
const bucketMax = { ms: 3_600_000, windows: 60 } as const;
const dayMs = 86_400_000;

/** Windows of any size begin at most this long behind the start of their bucket. */
export const bucketReachMs = bucketMax.ms;

/** Length of a bucket. Buckets never cross midnight UTC; where the size does not divide a day, each has one window. */
export function bucketSpanMs(sizeMs: number): number {
  const most = Math.min(bucketMax.windows, Math.floor(bucketMax.ms / sizeMs));
  for (let windows = most; windows > 1; windows -= 1) {
    if (dayMs % (windows * sizeMs) === 0) return windows * sizeMs;
  }
  return sizeMs;
}

/** Start of the bucket that the window belongs to. */
export function bucketStartMs(startMs: number, sizeMs: number): number {
  const spanMs = bucketSpanMs(sizeMs);
  return Math.floor(startMs / spanMs) * spanMs;
}

export function bucketName({ definition, bucketMs, shard }: BucketKey): string {
  return `${definition}|${bucketMs}|${shard}`;
}

export function countName({ startMs, group }: Pick<WindowCount, 'startMs' | 'group'>): string {
  return `${startMs}|${group}`;
}
