import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { Bucket } from './bucket.ts';
import { Disk, isErrno, namesIn, removeFile, removeFolder } from './disk.ts';
import { S3Error } from './errors.ts';
import { KeyedLock } from './keyed-lock.ts';
import { Uploads } from './uploads.ts';

/** 3 … 63 of a-z, 0-9, dot and hyphen, not like an IP address (Amazon S3 user guide, "Bucket naming rules"). */
const bucketName = /^(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

interface BucketFile {
  readonly createdMs: number;
}

interface Opened {
  readonly bucket: Bucket;
  readonly uploads: Uploads;
}

/** All buckets of one folder. A bucket is there when its file `bucket.json` is. */
export class Buckets {
  readonly disk: Disk;
  readonly #buckets = new Map<string, Opened>();
  readonly #lock = new KeyedLock();

  private constructor(disk: Disk) {
    this.disk = disk;
  }

  /** Opens `root`, making good what a kill left half done: staged bodies are moved to their place or thrown away. */
  static async open(root: string): Promise<Buckets> {
    const buckets = new Buckets(new Disk(root));
    const { disk } = buckets;
    await mkdir(disk.staged(''), { recursive: true });
    const staged = new Set(await namesIn(disk.staged('')));
    for (const name of await namesIn(disk.hidden('buckets'))) await buckets.#load(name, staged);
    for (const name of await namesIn(disk.staged(''))) await removeFile(disk.staged(name));
    return buckets;
  }

  /** By name, as S3 lists them. */
  list(): readonly Bucket[] {
    const buckets = [...this.#buckets.values()].map(({ bucket }) => bucket);
    return buckets.sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** @throws S3Error NoSuchBucket */
  get(name: string): Opened {
    const found = this.#buckets.get(name);
    if (found === undefined) throw new S3Error('NoSuchBucket', { BucketName: name });
    return found;
  }

  has(name: string): boolean {
    return this.#buckets.has(name);
  }

  /** Creates the bucket if it is not there. @throws S3Error InvalidBucketName */
  create(name: string): Promise<void> {
    if (!bucketName.test(name)) throw new S3Error('InvalidBucketName', { BucketName: name });
    return this.#lock.run(name, async () => {
      if (this.#buckets.has(name)) return;
      const bucket = new Bucket(this.disk, name, Date.now());
      const file: BucketFile = { createdMs: bucket.createdMs };
      await mkdir(this.disk.bucketFolder(name), { recursive: true });
      await mkdir(this.disk.hidden('buckets', name, 'objects'), { recursive: true });
      await this.disk.writeJson(this.#file(name), file);
      this.#buckets.set(name, { bucket, uploads: new Uploads(this.disk, name) });
    });
  }

  /** Files that a user has put into the folder are left there. @throws S3Error NoSuchBucket, BucketNotEmpty */
  remove(name: string): Promise<void> {
    return this.#lock.run(name, async () => {
      if (this.get(name).bucket.keys.length > 0) throw new S3Error('BucketNotEmpty', { BucketName: name });
      this.#buckets.delete(name);
      await removeFile(this.#file(name));
      await removeFolder(this.disk.hidden('buckets', name));
      try {
        await rmdir(this.disk.bucketFolder(name));
      } catch (error) {
        if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
      }
    });
  }

  async #load(name: string, staged: ReadonlySet<string>): Promise<void> {
    let file: BucketFile;
    try {
      file = JSON.parse(await readFile(this.#file(name), 'utf8')) as BucketFile;
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return;
      throw error;
    }
    const bucket = new Bucket(this.disk, name, file.createdMs);
    await bucket.load(staged);
    const uploads = new Uploads(this.disk, name);
    await uploads.load();
    this.#buckets.set(name, { bucket, uploads });
  }

  #file(name: string): string {
    return this.disk.hidden('buckets', name, 'bucket.json');
  }
}
