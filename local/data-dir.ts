import { mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PlatformError } from '../lib/runtime/errors.ts';

export interface DataDir {
  readonly path: string;
  readonly logs: string;
  /** Gives the folder free; a temporary one is removed. */
  readonly release: () => Promise<void>;
}

/**
 * The folder of one local platform, held by a lock file with our process id.
 * @throws PlatformError `data-dir-in-use` while another living platform holds it
 */
export async function openDataDir(wanted: string | undefined): Promise<DataDir> {
  const path = wanted === undefined ? await mkdtemp(join(tmpdir(), 'weir-')) : resolve(wanted);
  const logs = join(path, 'logs');
  await mkdir(logs, { recursive: true });
  const lock = join(path, 'weir.lock');
  await takeLock(lock, path);
  return {
    path,
    logs,
    release: () =>
      wanted === undefined ? rm(path, { recursive: true, force: true }) : rm(lock, { force: true }),
  };
}

async function takeLock(lock: string, path: string): Promise<void> {
  const holder = Number(await readFile(lock, 'utf8').catch((error: NodeJS.ErrnoException) => absent(error)));
  if (holder > 0 && isAlive(holder)) {
    const message = `${path} is used by another local platform (process ${holder}): stop it, or give another --data-dir`;
    throw new PlatformError('data-dir-in-use', message);
  }
  await rm(lock, { force: true });
  const file = await open(lock, 'wx');
  await file.writeFile(String(process.pid));
  await file.close();
}

function absent(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '0';
  throw error;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, under another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
