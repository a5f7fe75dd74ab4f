import type { WindowPartial } from '../../lib/stores/window-items.ts';

/** Partials kept at hand, about 1 KB each: beyond it those that are stored are let go and read again when needed. */
const keptMax = 50_000;

/** The partials of one shard that are in memory; `dirty` ones are newer than what is stored. */
export class PartialCache {
  /** In order of the last change, oldest first. */
  readonly #partials = new Map<string, WindowPartial>();
  readonly #dirty = new Set<string>();

  /** By slot name. */
  get partials(): ReadonlyMap<string, WindowPartial> {
    return this.#partials;
  }

  get dirty(): readonly WindowPartial[] {
    return [...this.#dirty].flatMap((name) => this.#partials.get(name) ?? []);
  }

  /** As they are stored, or not stored yet. */
  add(partials: readonly WindowPartial[]): void {
    for (const partial of partials) this.#partials.set(nameOf(partial), partial);
  }

  change(changed: ReadonlyMap<string, WindowPartial>): void {
    for (const [name, partial] of changed) {
      this.#partials.delete(name);
      this.#partials.set(name, partial);
      this.#dirty.add(name);
    }
  }

  /** All that was dirty is stored; of `standing` the store had as much or more, and that counts. */
  saved(standing: readonly WindowPartial[]): void {
    this.#dirty.clear();
    this.add(standing);
    for (const name of this.#partials.keys()) {
      if (this.#partials.size <= keptMax) return;
      this.#partials.delete(name);
    }
  }
}

/** As `slotName` in count.ts has it. */
function nameOf({ definition, startMs, group }: WindowPartial): string {
  return `${definition}|${startMs}|${group}`;
}
