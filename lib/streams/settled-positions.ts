import { PlatformError } from '../runtime/errors.ts';

/** The positions of one source on one stream: which come next, and up to where all of them are settled. */
export class SettledPositions {
  #highestGiven: bigint;
  #highestSettled: bigint;

  constructor(startFloor: bigint) {
    this.#highestGiven = startFloor;
    this.#highestSettled = startFloor;
  }

  /**
   * The positions of a put, in order: the sender's own where given, else counted. Throws `bad-position` if they
   * do not increase, or do not lie above `highestOpen`, the highest one still queued or in flight; what was given and
   * is no longer open may be given again.
   */
  give(wished: readonly (bigint | undefined)[], highestOpen: bigint | undefined): readonly bigint[] {
    let last = highestOpen ?? 0n;
    const given = wished.map((position) => {
      const next = position ?? (last > this.#highestGiven ? last : this.#highestGiven) + 1n;
      if (next <= last) {
        throw new PlatformError(
          'bad-position',
          `Position ${next} after ${last}: positions of a source increase`,
        );
      }
      last = next;
      return next;
    });
    if (last > this.#highestGiven) this.#highestGiven = last;
    return given;
  }

  settle(position: bigint): void {
    if (position > this.#highestSettled) this.#highestSettled = position;
  }

  /** Every position ≤ the floor is settled. `lowestOpen`: the lowest one that is queued or in flight. */
  floorBelow(lowestOpen: bigint): bigint {
    return this.#highestSettled < lowestOpen ? this.#highestSettled : lowestOpen - 1n;
  }
}
