import { createHash } from 'node:crypto';

/** The counts of a window when every live shard's watermark had passed its end. A later revision never removes it. */
export interface WindowMark {
  readonly startMs: number;
  /** From 1; a window without events in time needs none, it is final in revision 0. */
  readonly revision: number;
  /** Events in time, per group; undefined where there were too many groups for one item. */
  readonly groups: Readonly<Record<string, number>> | undefined;
  /** Of the groups' counts; two marks with equal digests have equal counts. */
  readonly digest: string;
}

/** Marks of one bucket that were written at once; the entries of a bucket are numbered without a gap. */
export interface MarkEntry {
  readonly definition: string;
  /** Start of the bucket. */
  readonly bucketMs: number;
  /** From 1. */
  readonly number: number;
  readonly marks: readonly WindowMark[];
}

/** JSON of the groups' counts per entry: even if it does not shrink, its item stays below DynamoDB's 400 KB. */
const entryBytesMax = 256_000;

/** The mark that the counts of a window's groups would make. */
export function markOf(startMs: number, revision: number, counts: ReadonlyMap<string, number>): WindowMark {
  const groups = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  const digest = createHash('sha256').update(JSON.stringify(groups)).digest('base64url');
  return { startMs, revision, digest, groups: Object.fromEntries(groups) };
}

/** Marks in portions that fit an entry each; one that is too large on its own is alone. */
export function inEntries(marks: readonly WindowMark[]): readonly (readonly WindowMark[])[] {
  const entries: WindowMark[][] = [];
  let left = 0;
  for (const mark of marks) {
    const bytes = Buffer.byteLength(JSON.stringify(mark));
    const last = entries.at(-1);
    if (last && bytes <= left) {
      last.push(mark);
      left -= bytes;
    } else {
      entries.push([mark]);
      left = entryBytesMax - bytes;
    }
  }
  return entries;
}
