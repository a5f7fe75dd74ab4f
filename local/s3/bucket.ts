import { type FileHandle, open, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { StoredBody } from './body.ts';
import type { Checksum } from './checksums.ts';
import { type Disk, isErrno, moveFile, readJsonFolder, removeFile } from './disk.ts';
import { S3Error } from './errors.ts';
import { KeyedLock } from './keyed-lock.ts';
import { keyHash } from './keys.ts';
import { lowerBound } from './listing.ts';
import { Places } from './places.ts';

/** What the client said of an object; given back as it came. */
export interface ObjectHeaders {
  /** Content-Type, Cache-Control, …, by lower-case name. */
  readonly system: Readonly<Record<string, string>>;
  /** x-amz-meta-*, by name without the prefix. */
  readonly user: Readonly<Record<string, string>>;
}

/** An object as its sidecar file holds it. */
export interface StoredObject extends ObjectHeaders {
  readonly key: string;
  readonly size: number;
  /** Without quotes: MD5 in hex, for multipart uploads that of the parts' MD5s with `-N`. */
  readonly etag: string;
  readonly checksum: Checksum;
  readonly lastModifiedMs: number;
  /** The body's path under the bucket's folder. */
  readonly path: string;
  /** The body's name among the staged files until it was moved to `path`; see `Bucket.put`. */
  readonly staged: string;
}

/** A body that is ready to become the object `key`. */
export interface Draft extends ObjectHeaders {
  readonly key: string;
  readonly body: StoredBody;
  readonly etag: string;
  readonly checksum: Checksum;
}

export interface OpenedObject {
  readonly object: StoredObject;
  readonly body: FileHandle;
}

type Check = (current: StoredObject | undefined) => void;

/**
 * One bucket: its objects in memory by key, their bodies as plain files, a sidecar file each.
 * The rename of the sidecar is the moment a write takes effect. Files that a user puts into the folder are not seen.
 */
export class Bucket {
  readonly name: string;
  readonly createdMs: number;
  readonly #disk: Disk;
  readonly #objects = new Map<string, StoredObject>();
  readonly #keys: string[] = [];
  readonly #places = new Places();
  readonly #lock = new KeyedLock();

  constructor(disk: Disk, name: string, createdMs: number) {
    this.#disk = disk;
    this.name = name;
    this.createdMs = createdMs;
  }

  /** Reads the sidecars of an earlier run. `staged` names the files that were still waiting to be moved. */
  async load(staged: ReadonlySet<string>): Promise<void> {
    for (const object of await readJsonFolder<StoredObject>(this.#sidecars())) {
      if (staged.has(object.staged)) await moveFile(this.#disk.staged(object.staged), this.#body(object));
      this.#places.occupy(object.path);
      this.#objects.set(object.key, object);
      this.#keys.splice(lowerBound(this.#keys, object.key), 0, object.key);
    }
  }

  /** In the order of S3's listings. */
  get keys(): readonly string[] {
    return this.#keys;
  }

  /** @throws S3Error NoSuchKey */
  get(key: string): StoredObject {
    const object = this.#objects.get(key);
    if (object === undefined) throw new S3Error('NoSuchKey', { Key: key });
    return object;
  }

  /** The object and its bytes, of one and the same write. The caller closes the handle. */
  openObject(key: string): Promise<OpenedObject> {
    return this.#lock.run(key, async () => {
      const object = this.get(key);
      return { object, body: await open(this.#body(object)) };
    });
  }

  /**
   * Makes the draft the object of its key if `check` does not throw. Writers of one key come one after another, so
   * of many with If-None-Match one wins. A stop between the two renames is made good by `load`.
   */
  put(draft: Draft, check: Check): Promise<StoredObject> {
    return this.#lock.run(draft.key, async () => {
      const current = this.#objects.get(draft.key);
      check(current);
      const { body, ...rest } = draft;
      const object: StoredObject = {
        ...rest,
        size: body.size,
        lastModifiedMs: Date.now(),
        path: current?.path ?? this.#places.claim(draft.key),
        staged: basename(body.path),
      };
      await this.#disk.writeJson(this.#sidecar(draft.key), object);
      await moveFile(body.path, this.#body(object));
      if (current === undefined) this.#keys.splice(lowerBound(this.#keys, draft.key), 0, draft.key);
      this.#objects.set(draft.key, object);
      return object;
    });
  }

  /** Deletes what is there; nothing is no error, as in S3. */
  remove(key: string, check: Check): Promise<void> {
    return this.#lock.run(key, async () => {
      const object = this.#objects.get(key);
      check(object);
      if (object === undefined) return;
      await removeFile(this.#sidecar(key));
      this.#objects.delete(key);
      this.#keys.splice(lowerBound(this.#keys, key), 1);
      await removeFile(this.#body(object));
      for (const folder of this.#places.release(object.path)) await this.#removeIfEmpty(folder);
    });
  }

  #sidecars(): string {
    return this.#disk.hidden('buckets', this.name, 'objects');
  }

  #sidecar(key: string): string {
    return join(this.#sidecars(), `${keyHash(key)}.json`);
  }

  #body(object: StoredObject): string {
    return join(this.#disk.bucketFolder(this.name), object.path);
  }

  /** A folder stays when a user, or a write that just began, has put something into it. */
  async #removeIfEmpty(folder: string): Promise<void> {
    try {
      await rmdir(join(this.#disk.bucketFolder(this.name), folder));
    } catch (error) {
      if (!isErrno(error, 'ENOTEMPTY', 'ENOENT', 'EEXIST')) throw error;
    }
  }
}
