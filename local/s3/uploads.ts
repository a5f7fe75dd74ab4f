import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type StoredBody, storeBody } from './body.ts';
import type { ObjectHeaders } from './bucket.ts';
import { type Checksum, type ChecksumAlgorithm, compositeChecksum } from './checksums.ts';
import { type Disk, moveFile, namesIn, readJsonFolder, removeFolder } from './disk.ts';
import { S3Error } from './errors.ts';
import { compareKeys } from './keys.ts';

/** What CreateMultipartUpload said. */
export interface UploadStart extends ObjectHeaders {
  readonly key: string;
  readonly algorithm: ChecksumAlgorithm;
  readonly checksumType: Checksum['type'];
  /** Whether the client chose the checksum; then each part must carry one of that algorithm. */
  readonly isChosen: boolean;
}

export interface Upload extends UploadStart {
  readonly id: string;
  readonly startedMs: number;
}

export interface Part {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
  readonly checksum: Checksum;
  readonly lastModifiedMs: number;
  /** The file's name in the upload's folder. */
  readonly file: string;
}

/** A part as CompleteMultipartUpload names it. */
export interface WantedPart {
  readonly number: number;
  readonly etag: string;
  /** In the algorithm that the part was uploaded with. */
  readonly checksum: Pick<Checksum, 'algorithm' | 'value'> | undefined;
}

/** An upload's parts put together. */
export interface Assembled {
  readonly body: StoredBody;
  readonly etag: string;
  readonly checksum: Checksum;
}

/** Every part but the last (Amazon S3 user guide, "Multipart upload limits"). */
const partBytesMin = 5 * 1024 ** 2;

interface OpenUpload {
  readonly upload: Upload;
  readonly parts: Map<number, Part>;
}

/** The multipart uploads under way in one bucket: a hidden folder each, a sidecar per part. */
export class Uploads {
  readonly #disk: Disk;
  readonly #bucket: string;
  readonly #uploads = new Map<string, OpenUpload>();

  constructor(disk: Disk, bucket: string) {
    this.#disk = disk;
    this.#bucket = bucket;
  }

  async load(): Promise<void> {
    for (const id of await namesIn(this.#folder())) {
      const [upload] = await readJsonFolder<Upload>(this.#folder(id));
      if (upload === undefined) continue;
      const parts = await readJsonFolder<Part>(this.#folder(id, 'parts'));
      this.#uploads.set(id, { upload, parts: new Map(parts.map((part) => [part.number, part])) });
    }
  }

  /** By key, then in the order they were started, as S3 lists them. */
  list(): readonly Upload[] {
    const uploads = [...this.#uploads.values()].map(({ upload }) => upload);
    return uploads.sort(
      (left, right) =>
        compareKeys(left.key, right.key) ||
        left.startedMs - right.startedMs ||
        compareKeys(left.id, right.id),
    );
  }

  async start(start: UploadStart): Promise<Upload> {
    const upload: Upload = { ...start, id: randomUUID().replaceAll('-', ''), startedMs: Date.now() };
    await mkdir(this.#folder(upload.id, 'parts'), { recursive: true });
    await this.#disk.writeJson(join(this.#folder(upload.id), 'upload.json'), upload);
    this.#uploads.set(upload.id, { upload, parts: new Map() });
    return upload;
  }

  /** @throws S3Error NoSuchUpload */
  get(id: string, key: string): Upload {
    return this.#open(id, key).upload;
  }

  /** By number. @throws S3Error NoSuchUpload */
  parts(id: string, key: string): readonly Part[] {
    return [...this.#open(id, key).parts.values()].sort((left, right) => left.number - right.number);
  }

  /** The last body given for a number counts. @throws S3Error NoSuchUpload when it was ended meanwhile */
  async addPart(id: string, key: string, number: number, body: StoredBody): Promise<Part> {
    const { parts } = this.#open(id, key);
    const file = basename(body.path);
    await moveFile(body.path, join(this.#folder(id), file));
    const { size, checksum } = body;
    const part: Part = {
      number,
      size,
      etag: body.md5.toString('hex'),
      checksum,
      lastModifiedMs: Date.now(),
      file,
    };
    await this.#disk.writeJson(join(this.#folder(id, 'parts'), `${number}.json`), part);
    parts.set(number, part);
    return part;
  }

  /** Puts the wanted parts together into one staged body. @throws S3Error InvalidPart, InvalidPartOrder, EntityTooSmall */
  async assemble(id: string, key: string, wanted: readonly WantedPart[]): Promise<Assembled> {
    const { upload, parts } = this.#open(id, key);
    const chosen = choose(upload, parts, wanted);
    const files = chosen.map((part) => join(this.#folder(id), part.file));
    const body = await storeBody(concatenate(files), this.#disk.temporary(), upload.algorithm);
    const md5 = createHash('md5');
    for (const part of chosen) md5.update(Buffer.from(part.etag, 'hex'));
    const checksum =
      upload.checksumType === 'FULL_OBJECT'
        ? body.checksum
        : compositeChecksum(
            upload.algorithm,
            chosen.map((part) => part.checksum.value),
          );
    return { body, etag: `${md5.digest('hex')}-${chosen.length}`, checksum };
  }

  /** Ends an upload, aborted or complete. @throws S3Error NoSuchUpload */
  async remove(id: string, key: string): Promise<void> {
    this.#open(id, key);
    this.#uploads.delete(id);
    await removeFolder(this.#folder(id));
  }

  #open(id: string, key: string): OpenUpload {
    const found = this.#uploads.get(id);
    if (found === undefined || found.upload.key !== key) throw new S3Error('NoSuchUpload', { UploadId: id });
    return found;
  }

  #folder(...names: readonly string[]): string {
    return this.#disk.hidden('buckets', this.#bucket, 'uploads', ...names);
  }
}

function choose(
  upload: Upload,
  parts: ReadonlyMap<number, Part>,
  wanted: readonly WantedPart[],
): readonly Part[] {
  const isRising = wanted.every((want, at) => want.number > (wanted[at - 1]?.number ?? 0));
  if (!isRising) throw new S3Error('InvalidPartOrder');
  return wanted.map((want, at) => {
    const part = parts.get(want.number);
    if (part === undefined || part.etag !== want.etag) {
      throw new S3Error('InvalidPart', { PartNumber: String(want.number), ETag: want.etag });
    }
    checkPartChecksum(upload, part, want);
    if (at < wanted.length - 1 && part.size < partBytesMin) {
      const details = { PartNumber: String(part.number), ProposedSize: String(part.size) };
      throw new S3Error('EntityTooSmall', { ...details, MinSizeAllowed: String(partBytesMin) });
    }
    return part;
  });
}

function checkPartChecksum(upload: Upload, part: Part, want: WantedPart): void {
  const { algorithm, value } = want.checksum ?? part.checksum;
  if (algorithm !== part.checksum.algorithm || value !== part.checksum.value) {
    throw new S3Error('InvalidPart', { PartNumber: String(want.number), ETag: want.etag });
  }
  if (want.checksum !== undefined || !upload.isChosen || upload.checksumType === 'FULL_OBJECT') return;
  const message = `The upload was created using a ${upload.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${want.number} in the request.`;
  throw new S3Error('InvalidRequest', {}, message);
}

async function* concatenate(files: readonly string[]): AsyncGenerator<Buffer> {
  for (const file of files) yield* createReadStream(file) as AsyncIterable<Buffer>;
}
