import { foldersAbove, foldPath, oddPath, plainPath } from './keys.ts';

/**
 * Which object lies at which path of a bucket's folder. A key's own path is taken unless a file system could not hold
 * it beside the others: `a` and `a/b` (a file and a folder of one name), or names that differ only in case.
 */
export class Places {
  readonly #files = new Set<string>();
  /** Folders by the number of objects below them. */
  readonly #folders = new Map<string, number>();

  /** Takes a path for a key that has none yet. */
  claim(key: string): string {
    const plain = plainPath(key);
    const path = plain !== undefined && this.#isFree(plain) ? plain : oddPath(key);
    this.occupy(path);
    return path;
  }

  occupy(path: string): void {
    const folded = foldPath(path);
    this.#files.add(folded);
    for (const folder of foldersAbove(folded))
      this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + 1);
  }

  /** Gives a path back; returns the folders above it that are now empty, innermost first. */
  release(path: string): readonly string[] {
    const folded = foldPath(path);
    this.#files.delete(folded);
    return foldersAbove(path).filter((_, at) => this.#leave(foldersAbove(folded)[at] ?? ''));
  }

  #leave(folder: string): boolean {
    const left = (this.#folders.get(folder) ?? 0) - 1;
    if (left > 0) this.#folders.set(folder, left);
    else this.#folders.delete(folder);
    return left <= 0;
  }

  #isFree(plain: string): boolean {
    const folded = foldPath(plain);
    if (this.#files.has(folded) || this.#folders.has(folded)) return false;
    return !foldersAbove(folded).some((folder) => this.#files.has(folder));
  }
}
