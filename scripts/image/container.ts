import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../lib/runtime/clock.ts';
import { messageOf, PlatformError } from '../../lib/runtime/errors.ts';
import type { Image } from './build.ts';

/** Of the Dockerfile's USER; taken on where we are root, as only root may. */
const user = { uid: 1000, gid: 1000 } as const;
const readyCheckMs = 100;
/** Lines of a service's log that an error shows. */
const lastLines = 5;

/** One service of the image, started as a container would be. */
export interface Container {
  readonly service: string;
  /** Where it listens, once it is ready. */
  readonly ready: (signal: AbortSignal) => Promise<string>;
  /** SIGTERM; resolves with the exit code, null where a signal ended it. */
  readonly stop: () => Promise<number | null>;
}

/** Starts plain node with the image's own environment and what the deployment would add; nothing of ours leaks in. */
export function startContainer(
  image: Image,
  service: string,
  env: Readonly<Record<string, string>>,
): Container {
  const log: string[] = [];
  const child = spawn(process.execPath, [`dist/services/${service}/main.js`], {
    cwd: image.folder,
    env: { ...image.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isRoot() ? user : {}),
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => log.push(...text.toString().split('\n').filter(Boolean)));
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    service,
    ready: (signal) => ready(service, child, log, signal),
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

async function ready(
  service: string,
  child: ChildProcess,
  log: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const fail = (why: string): PlatformError =>
    new PlatformError('not-ready', `${service} ${why}:\n${log.slice(-lastLines).join('\n')}`);
  let why = 'does not listen';
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw fail(`ended with ${child.exitCode}`);
    const url = urlIn(log);
    if (url !== undefined) {
      const answer = await fetch(`${url}/readyz`, { signal }).catch((error: unknown) => messageOf(error));
      if (typeof answer !== 'string' && answer.ok) return url;
      why = typeof answer === 'string' ? answer : `answers ${answer.status}`;
    }
    if (signal.aborted) throw fail(`is not ready in time: ${why}`);
    await systemClock.sleep(readyCheckMs);
  }
}

/** The line that every service logs once it listens. */
function urlIn(log: readonly string[]): string | undefined {
  const started = log.find((line) => line.includes('"message":"started"'));
  if (started === undefined) return undefined;
  return `http://127.0.0.1:${(JSON.parse(started) as { readonly port: number }).port}`;
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * Makes the folder one that a service cannot write to: readable for all, writable for its owner only (us, root), or
 * for nobody where the service has to run as us.
 */
export async function protect(folder: string): Promise<void> {
  for (const path of [folder, ...(await everythingIn(folder))]) {
    const { mode } = await stat(path);
    await chmod(path, (mode | 0o444 | (mode & 0o100 ? 0o111 : 0)) & (isRoot() ? 0o755 : 0o555));
  }
}

/** What a change to anything in the folder would change: paths, sizes, times. */
export async function fingerprint(folder: string): Promise<string> {
  const lines = await Promise.all(
    (await everythingIn(folder)).map(async (path) => {
      const { size, mtimeMs, ctimeMs } = await stat(path);
      return `${path} ${size} ${mtimeMs} ${ctimeMs}`;
    }),
  );
  return lines.toSorted().join('\n');
}

export async function bytesIn(folder: string): Promise<number> {
  const files = await Promise.all((await everythingIn(folder)).map((path) => stat(path)));
  return files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}

/** Files and folders; links are left out, as what they lead to is there by itself. */
async function everythingIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name));
}
