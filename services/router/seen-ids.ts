import { arrivalSkewMs, type RoutedId } from '../../lib/stores/dedupe.ts';

/**
 * The ids that one shard and its ancestors have routed within the horizon. What `isRepeat` says depends on the
 * stream's data alone (ids and arrival times), so a replay hears the same. About 100 bytes per id: a full shard (1,000
 * records a second) fills 400 MB in an hour.
 */
export class SeenIds {
  readonly #horizonMs: number;
  /** Hash → arrival, oldest first. */
  readonly #arrivals = new Map<string, number>();
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor(horizonMs: number, routed: readonly RoutedId[] = []) {
    this.#horizonMs = horizonMs;
    this.add(routed);
  }

  get size(): number {
    return this.#arrivals.size;
  }

  /** `before`: when the id was last routed, where the caller knows of a time that is not added yet. */
  isRepeat({ hash, arrivedAtMs }: RoutedId, before = this.#arrivals.get(hash)): boolean {
    return before !== undefined && arrivedAtMs - before < this.#horizonMs;
  }

  /** In stream order. An id that comes again after the horizon counts from then on. */
  add(routed: readonly RoutedId[]): void {
    for (const { hash, arrivedAtMs } of routed) {
      this.#arrivals.delete(hash);
      this.#arrivals.set(hash, arrivedAtMs);
      if (arrivedAtMs > this.#newestMs) this.#newestMs = arrivedAtMs;
    }
    this.#forget();
  }

  /** The skew keeps an id for as long as a record with a slightly older arrival may still ask for it. */
  #forget(): void {
    const oldestMs = this.#newestMs - this.#horizonMs - arrivalSkewMs;
    for (const [hash, arrivedAtMs] of this.#arrivals) {
      if (arrivedAtMs >= oldestMs) return;
      this.#arrivals.delete(hash);
    }
  }
}
