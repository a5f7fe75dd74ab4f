import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, PlatformError } from '../../../lib/runtime/errors.ts';
import type { Log } from '../../../lib/runtime/log.ts';
import type { Account } from '../storage/account.ts';
import type { Memory } from '../storage/shard-log.ts';
import { noJournal, Stream } from '../storage/stream.ts';
import { FileJournal, REMOVED_PREFIX, type JournalFile } from './file-journal.ts';
import { readFrames, type Frame } from './frames.ts';

/** The folder of a stream; two streams of one name differ by their creation time. */
export function journalFolder(dataDir: string, name: string, createdAtMs: number): string {
  return join(dataDir, `${name}@${createdAtMs}`);
}

/** Brings back every stream that `dataDir` holds. Throws `journal-corrupt` where more than a last frame is broken. */
export function restoreStreams(dataDir: string, account: Account, log: Log): void {
  mkdirSync(dataDir, { recursive: true });
  for (const entry of readdirSync(dataDir).toSorted()) {
    const folder = join(dataDir, entry);
    const stream = entry.startsWith(REMOVED_PREFIX) ? undefined : restoreStream(folder, account.memory, log);
    if (stream) account.restore(stream);
    else rmSync(folder, { recursive: true });
  }
}

/** Undefined where not even the first state was written: then the creation was never acknowledged. */
function restoreStream(folder: string, memory: Memory, log: Log): Stream | undefined {
  const names = readdirSync(folder).filter((name) => name.endsWith('.journal'));
  const files: JournalFile[] = [];
  let stream: Stream | undefined;
  for (const name of names.toSorted()) {
    const path = join(folder, name);
    const journal = readFileSync(path);
    let lastArrivedAtMs = 0;
    const bytes = replay(path, journal, (frame) => {
      if (frame.kind === 'batch') lastArrivedAtMs = frame.batch.arrivedAtMs;
      stream = restoreFrame(path, frame, stream, memory);
    });
    if (bytes < journal.length) cutOff(path, journal.length - bytes, files.length === names.length - 1, log);
    files.push({ number: Number.parseInt(name, 10), bytes, lastArrivedAtMs });
  }
  stream?.keepIn(new FileJournal(folder, files));
  return stream;
}

function replay(path: string, journal: Buffer, onFrame: (frame: Frame) => void): number {
  try {
    return readFrames(journal, onFrame);
  } catch (error) {
    throw error instanceof PlatformError ? error : corrupt(path, messageOf(error), error);
  }
}

function restoreFrame(path: string, frame: Frame, stream: Stream | undefined, memory: Memory): Stream {
  switch (frame.kind) {
    case 'state':
      if (!stream) return new Stream(frame.state, noJournal, memory);
      stream.restoreState(frame.state);
      return stream;
    case 'batch':
      if (!stream) throw corrupt(path, 'it does not begin with the state of its stream');
      stream.restoreBatch(frame.shardIndex, frame.batch);
      return stream;
  }
}

function cutOff(path: string, lostBytes: number, isLast: boolean, log: Log): void {
  if (!isLast) throw corrupt(path, `its last ${lostBytes} bytes are not whole, though a later file follows`);
  log.warn('The end of a Kinesis journal was not written whole and is cut off', { path, lostBytes });
}

function corrupt(path: string, reason: string, cause?: unknown): PlatformError {
  const message = `The journal ${path} cannot be read: ${reason}. Move its folder away to go on without the stream`;
  return new PlatformError('journal-corrupt', message, { cause });
}
