import { PlatformError } from '../runtime/errors.ts';

/**
 * The positions of one source on one stream, and up to where all of them are settled (acknowledged, or given up
 * with the sender told). A position that the sender numbers itself and that failed stays open until it is put again or
 * the sender goes on past it: were it below a floor, readers would take its second try for a repeat.
 */
export class SettledPositions {
  #highestGiven: bigint;
  #highestSettled: bigint;
  readonly #failed = new Set<bigint>();

  constructor(startFloor: bigint) {
    this.#highestGiven = startFloor;
    this.#highestSettled = startFloor;
  }

  /**
   * The positions of a put, in order: the sender's own where given, else counted. `highestOpen`: the highest one that is queued or in
   * flight. Throws `bad-position` if they do not increase, or do not lie above everything that is still under way.
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
    const [first] = given;
    if (first !== undefined) this.#closeBelow(first);
    if (last > this.#highestGiven) this.#highestGiven = last;
    return given;
  }

  settle(position: bigint): void {
    this.#failed.delete(position);
    if (position > this.#highestSettled) this.#highestSettled = position;
  }

  /** The record failed and its sender, who numbers records itself, may put it again under the same position. */
  fail(position: bigint): void {
    this.#failed.add(position);
  }

  /** Every position ≤ the floor is settled. `lowestOpen`: the lowest position that is queued or in flight. */
  floor(lowestOpen: bigint | undefined): bigint {
    let floor = this.#highestSettled;
    if (lowestOpen !== undefined && lowestOpen <= floor) floor = lowestOpen - 1n;
    for (const failed of this.#failed) if (failed <= floor) floor = failed - 1n;
    return floor;
  }

  #closeBelow(first: bigint): void {
    for (const failed of this.#failed) if (failed < first) this.settle(failed);
  }
}
