import { assert } from '../runtime/errors.ts';

/**
 * Bytes that were granted. `settle` says how many are in use after all, which may be more: they are there, so they
 * count, and others wait for longer. `release` gives back the rest, once.
 */
export interface Grant {
  readonly settle: (bytes: number) => void;
  readonly release: () => void;
}

/** One shard's way to the budget. */
export interface BudgetShare {
  /** Waits until the bytes are free; undefined when `signal` aborts first. */
  readonly reserve: (bytes: number, signal: AbortSignal) => Promise<Grant | undefined>;
  readonly held: () => number;
}

interface Waiter {
  readonly share: { held: number };
  readonly bytes: number;
  readonly resolve: (grant: Grant | undefined) => void;
}

/**
 * One limit over all shards of a process. Who waits is served by how little it holds, then by age: a shard with a
 * slow handler cannot starve the others with pages it has read ahead, and gets its turn once they are handled.
 */
export class ByteBudget {
  readonly limit: number;
  #used = 0;
  #waiters: Waiter[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  share(): BudgetShare {
    const share = { held: 0 };
    return { reserve: (bytes, signal) => this.#reserve(share, bytes, signal), held: () => share.held };
  }

  #reserve(share: { held: number }, bytes: number, signal: AbortSignal): Promise<Grant | undefined> {
    // More than the whole budget could never be granted; such a reservation waits for an empty budget instead.
    const wanted = Math.min(bytes, this.limit);
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(undefined);
      const giveUp = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        resolve(undefined);
      };
      const waiter: Waiter = {
        share,
        bytes: wanted,
        resolve: (grant) => {
          signal.removeEventListener('abort', giveUp);
          resolve(grant);
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiters.push(waiter);
      this.#serve();
    });
  }

  #serve(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const waiter = next;
      if (this.#used + waiter.bytes > this.limit) return;
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      waiter.resolve(this.#grant(waiter.share, waiter.bytes));
    }
  }

  #next(): Waiter | undefined {
    return this.#waiters.reduce<Waiter | undefined>(
      (best, waiter) => (best === undefined || waiter.share.held < best.share.held ? waiter : best),
      undefined,
    );
  }

  #grant(share: { held: number }, bytes: number): Grant {
    let left = bytes;
    this.#used += bytes;
    share.held += bytes;
    const giveBack = (back: number): void => {
      left -= back;
      share.held -= back;
      this.#used -= back;
      assert(left >= 0 && share.held >= 0 && this.#used >= 0, 'more bytes were given back than granted');
      if (back > 0) this.#serve();
    };
    return { settle: (to) => giveBack(left - to), release: () => giveBack(left) };
  }
}
