import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Files read at once when a folder is loaded; well under the usual limit of 1,024 open files. */
const readsAtOnce = 64;
/** A folder may be pruned between its creation and the rename into it, by a deletion, once per attempt. */
const moveAttempts = 5;

/** Folders of one S3: what users look at, and beside it what only this server reads. */
export class Disk {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Where a user finds the objects of a bucket. */
  bucketFolder(bucket: string): string {
    return join(this.root, bucket);
  }

  /** Metadata; no bucket's name begins with a dot. */
  hidden(...names: readonly string[]): string {
    return join(this.root, '.weir', ...names);
  }

  /** A path for a file in the making, on the same file system as its place, so that a rename is atomic. */
  temporary(): string {
    return this.staged(randomUUID());
  }

  staged(name: string): string {
    return this.hidden('staged', name);
  }

  /** All or nothing: a reader, or the next start, sees the old file or the new one. */
  async writeJson(path: string, value: unknown): Promise<void> {
    const temporary = this.temporary();
    await writeFile(temporary, JSON.stringify(value));
    await rename(temporary, path);
  }
}

/** Every JSON file of a folder; a folder that is not there holds none. */
export async function readJsonFolder<T>(folder: string): Promise<readonly T[]> {
  const names = (await namesIn(folder)).filter((name) => name.endsWith('.json'));
  const values: T[] = [];
  for (let at = 0; at < names.length; at += readsAtOnce) {
    const batch = names.slice(at, at + readsAtOnce);
    const texts = await Promise.all(batch.map((name) => readFile(join(folder, name), 'utf8')));
    values.push(...texts.map((text) => JSON.parse(text) as T));
  }
  return values;
}

/** Names in a folder; none when it is not there. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  return (await unlessMissing(readdir(folder))) ?? [];
}

/** Renames `from` to `to`, making the folders above `to`. */
export async function moveFile(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await mkdir(dirname(to), { recursive: true });
    try {
      return await rename(from, to);
    } catch (error) {
      if (!isErrno(error, 'ENOENT') || attempt === moveAttempts) throw error;
    }
  }
}

/** Removes a file; fine when it is gone already. */
export async function removeFile(path: string): Promise<void> {
  await unlessMissing(unlink(path));
}

export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}
