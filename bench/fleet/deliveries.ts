interface Delivery {
  readonly atMs: number;
  readonly worker: string;
}

/** Who delivered what and when, as the workers told it. */
export class Deliveries {
  readonly #byShard = new Map<string, Delivery[]>();
  readonly #seen = new Set<string>();
  #repeats = 0;

  add(worker: string, shardId: string, atMs: number, sequenceNumbers: readonly string[]): void {
    const deliveries = this.#byShard.get(shardId) ?? [];
    deliveries.push({ atMs, worker });
    this.#byShard.set(shardId, deliveries);
    for (const number of sequenceNumbers) {
      const id = `${shardId} ${number}`;
      if (this.#seen.has(id)) this.#repeats += 1;
      this.#seen.add(id);
    }
  }

  /** Records that were delivered once more, all told. */
  get repeats(): number {
    return this.#repeats;
  }

  has(id: string): boolean {
    return this.#seen.has(id);
  }

  /** From the last delivery of a shard by `worker` to the first one by another; undefined before that came. */
  gapAfter(worker: string, shardId: string): number | undefined {
    const deliveries = this.#inOrder(shardId);
    const last = deliveries.findLastIndex((delivery) => delivery.worker === worker);
    const from = deliveries[last];
    const next = deliveries[last + 1];
    return from === undefined || next === undefined ? undefined : next.atMs - from.atMs;
  }

  /** Times between two deliveries of the same shard by the same worker, all of them. */
  intervals(): readonly number[] {
    return [...this.#byShard.keys()].flatMap((shardId) => {
      const deliveries = this.#inOrder(shardId);
      return deliveries.flatMap(({ atMs, worker }, index) => {
        const before = deliveries[index - 1];
        return before?.worker === worker ? [atMs - before.atMs] : [];
      });
    });
  }

  /** Messages of different processes come in any order. */
  #inOrder(shardId: string): readonly Delivery[] {
    return (this.#byShard.get(shardId) ?? []).toSorted((a, b) => a.atMs - b.atMs);
  }
}
