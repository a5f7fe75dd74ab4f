import type { WindowPart } from '../../lib/stores/window-parts.ts';
import type { BucketDraft } from './bucket-draft.ts';

export interface CacheLimits {
  /** Counts in memory, about 0.3 KB each: beyond it buckets that are stored are let go, and loaded again when needed. */
  readonly countsKeptMax: number;
  /** Counts in parts that are not stored yet, beyond which a checkpoint is asked for. */
  readonly countsDirtyMax: number;
}

/** With all shards of a stream in one process still tens of megabytes; a shard under traffic touches some thousands. */
export const usualCacheLimits: CacheLimits = { countsKeptMax: 50_000, countsDirtyMax: 50_000 };

/** The buckets of one shard that are in memory; dirty parts are newer than what is stored. */
export class BucketCache {
  readonly #limits: CacheLimits;
  /** Parts by `bucketName`, in order of the last change, oldest first. */
  readonly #buckets = new Map<string, readonly WindowPart[]>();
  /** Numbers of the dirty parts by `bucketName`. */
  readonly #dirty = new Map<string, ReadonlySet<number>>();

  constructor(limits: CacheLimits) {
    this.#limits = limits;
  }

  get buckets(): ReadonlyMap<string, readonly WindowPart[]> {
    return this.#buckets;
  }

  get dirty(): readonly WindowPart[] {
    return [...this.#dirty].flatMap(([name, numbers]) =>
      (this.#buckets.get(name) ?? []).filter(({ number }) => numbers.has(number)),
    );
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0;
  }

  get wantsFlush(): boolean {
    return countsIn([this.dirty]) > this.#limits.countsDirtyMax;
  }

  /** As they are stored. */
  add(buckets: ReadonlyMap<string, readonly WindowPart[]>): void {
    for (const [name, parts] of buckets) this.#buckets.set(name, parts);
  }

  change(drafts: ReadonlyMap<string, BucketDraft>): void {
    for (const [name, draft] of drafts) {
      this.#buckets.delete(name);
      this.#buckets.set(name, draft.parts);
      const numbers = new Set([...(this.#dirty.get(name) ?? []), ...draft.changed]);
      if (numbers.size > 0) this.#dirty.set(name, numbers);
    }
  }

  /** All that was dirty is stored. (Where an earlier owner wrote more: that is what these parts will become.) */
  saved(): void {
    this.#dirty.clear();
    let kept = countsIn(this.#buckets.values());
    for (const [name, parts] of this.#buckets) {
      if (kept <= this.#limits.countsKeptMax) return;
      kept -= countsIn([parts]);
      this.#buckets.delete(name);
    }
  }
}

/** A bucket without counts is an entry as well. */
function countsIn(buckets: Iterable<readonly WindowPart[]>): number {
  let sum = 0;
  for (const parts of buckets) sum += parts.reduce((counts, part) => counts + part.counts.size, 1);
  return sum;
}
