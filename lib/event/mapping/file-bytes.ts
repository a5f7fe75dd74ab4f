import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf, PlatformError } from '../../runtime/errors.ts';

export type FileBytes = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * The bytes of a file as they were before gzip, which is known by its first two bytes, and without a byte
 * order mark.
 */
export async function* plainBytes(file: FileBytes): AsyncGenerator<Buffer> {
  const chunks = withFirst(chunksOf(file), 2);
  const { value: first } = await chunks.next();
  if (first === undefined) return;
  const all = prepend(first, chunks);
  if (first[0] !== 0x1f || first[1] !== 0x8b) return yield* withoutMark(all);
  yield* withoutMark(gunzipped(all));
}

export function brokenFile(detail: string, cause?: unknown): PlatformError {
  return new PlatformError('broken-file', `The file cannot be read: ${detail}`, { cause });
}

async function* gunzipped(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  // The callback is required, and has nothing to say: a failure comes out of the iteration.
  const gunzip = pipeline(Readable.from(chunks), createGunzip(), () => {});
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } catch (error) {
    const ofGzip = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
    throw ofGzip ? brokenFile(`its gzip data is not whole (${messageOf(error)})`, error) : error;
  }
}

async function* chunksOf(file: FileBytes): AsyncGenerator<Buffer> {
  if (file instanceof Uint8Array) yield asBuffer(file);
  else for await (const chunk of file) yield asBuffer(chunk);
}

async function* withoutMark(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first = true;
  for await (const chunk of withFirst(chunks, 3)) {
    const marked = first && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf;
    first = false;
    yield marked ? chunk.subarray(3) : chunk;
  }
}

/** The same bytes, the first chunk having at least `count` of them if there are so many. */
async function* withFirst(chunks: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let first: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (first === undefined) {
      yield chunk;
      continue;
    }
    first = Buffer.concat([first, chunk]);
    if (first.length < count) continue;
    yield first;
    first = undefined;
  }
  if (first !== undefined && first.length > 0) yield first;
}

async function* prepend(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
