import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writevSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PlatformError } from '../../../lib/runtime/errors.ts';
import type { Batch } from '../storage/shard-log.ts';
import type { StreamJournal } from '../storage/stream.ts';
import type { StreamState } from '../storage/stream-state.ts';
import { renderBatch, renderState } from './frames.ts';

/** One file of a journal; files are numbered, and only the last one is written to. */
export interface JournalFile {
  readonly number: number;
  readonly bytes: number;
  /** Of the newest record in it; 0 where there is none. */
  readonly lastArrivedAtMs: number;
}

/** Past this a new file is begun, so that retention can free the disk file by file. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** A folder of this name is a stream that was deleted, and on its way out. */
export const REMOVED_PREFIX = '.removed-';

/**
 * The journal of one stream, in its own folder. Each frame is handed to the operating system before the caller goes
 * on: what was acknowledged survives the death of the process. Only `close` waits for the disk, so the death of
 * the machine may cost the last moments.
 */
export class FileJournal implements StreamJournal {
  readonly #folder: string;
  #older: readonly JournalFile[];
  #file: JournalFile;
  #descriptor: number;
  readonly #fileBytesMax: number;

  /** `files` is what the folder holds already, in order; the last one is written on, behind its `bytes`. */
  constructor(folder: string, files: readonly JournalFile[], fileBytesMax = FILE_BYTES_MAX) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#fileBytesMax = fileBytesMax;
    this.#older = files.slice(0, -1);
    this.#file = files.at(-1) ?? { number: 1, bytes: 0, lastArrivedAtMs: 0 };
    this.#descriptor = openSync(this.#path(this.#file), 'a');
    ftruncateSync(this.#descriptor, this.#file.bytes);
  }

  writeState(state: StreamState): void {
    this.#write(renderState(state));
  }

  writeBatch(shardIndex: number, batch: Batch): void {
    this.#write(renderBatch(shardIndex, batch));
    this.#file = { ...this.#file, lastArrivedAtMs: batch.arrivedAtMs };
  }

  forgetBefore(ms: number, state: StreamState): void {
    if (this.#file.bytes > this.#fileBytesMax) this.#beginFile(state);
    const expired = this.#older.filter((file) => file.lastArrivedAtMs < ms);
    if (expired.length === 0) return;
    for (const file of expired) rmSync(this.#path(file));
    this.#older = this.#older.filter((file) => !expired.includes(file));
  }

  close(): void {
    fsyncSync(this.#descriptor);
    closeSync(this.#descriptor);
  }

  remove(): void {
    closeSync(this.#descriptor);
    // Renamed first: a folder that is half removed must not come back as a stream.
    const removed = join(dirname(this.#folder), REMOVED_PREFIX + basename(this.#folder));
    renameSync(this.#folder, removed);
    rmSync(removed, { recursive: true });
  }

  /** A file begins with the state, so that it can be read when the files before it are gone. */
  #beginFile(state: StreamState): void {
    fsyncSync(this.#descriptor);
    closeSync(this.#descriptor);
    this.#older = [...this.#older, this.#file];
    this.#file = { number: this.#file.number + 1, bytes: 0, lastArrivedAtMs: 0 };
    this.#descriptor = openSync(this.#path(this.#file), 'a');
    this.writeState(state);
  }

  #write(frame: readonly Buffer[]): void {
    const bytes = frame.reduce((sum, part) => sum + part.length, 0);
    const written = writevSync(this.#descriptor, frame);
    if (written !== bytes) {
      ftruncateSync(this.#descriptor, this.#file.bytes);
      throw new PlatformError(
        'journal-not-written',
        `Only ${written} of ${bytes} bytes could be written to ${this.#path(this.#file)}: is the disk full?`,
      );
    }
    this.#file = { ...this.#file, bytes: this.#file.bytes + bytes };
  }

  #path(file: JournalFile): string {
    return join(this.#folder, journalFileName(file.number));
  }
}

export function journalFileName(number: number): string {
  return `${String(number).padStart(6, '0')}.journal`;
}
