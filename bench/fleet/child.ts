import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { PlatformError } from '../../lib/runtime/errors.ts';

/** The SDK wants some credentials; the stand-ins take any. */
const credentials = { AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' };
/** A process that has not said its first word by then has failed to start. */
const firstWordMs = 30_000;

/** Starts a script of this folder. Over its channel it ends with this process, however that ends. */
export function forkScript(
  script: string,
  argument: string,
  nodeOptions: readonly string[] = [],
): ChildProcess {
  return fork(compiled(script), [argument], {
    execArgv: ['--no-warnings', ...nodeOptions],
    env: { ...process.env, ...credentials },
  });
}

/** Inside of the repository, where packages are found; of this process, so that two benches can run at once. */
const builds = join(import.meta.dirname, '../../dist', `bench-${process.pid}`);
const built = new Map<string, string>();

/** To JavaScript, as in the image: a compiler that is loaded with the script would be measured with it. */
function compiled(script: string): string {
  const known = built.get(script);
  if (known !== undefined) return known;
  const source = fileURLToPath(new URL(script, import.meta.url));
  const outfile = join(builds, `${built.size}-${basename(source, '.ts')}.mjs`);
  if (built.size === 0) process.once('exit', () => rmSync(builds, { recursive: true, force: true }));
  buildSync({
    entryPoints: [source],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  built.set(script, outfile);
  return outfile;
}

/** The first message of a child. Rejects if it ends before, or is silent. */
export async function firstMessage<T>(child: ChildProcess, what: string): Promise<T> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), firstWordMs);
  const ended = once(child, 'exit', { signal: over.signal }).then(([code]) => {
    throw new PlatformError('bench-child-ended', `${what} ended with ${code} before it was up`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal: over.signal }), ended])) as [T];
    return message;
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    throw new PlatformError('bench-child-silent', `${what} was not up within ${firstWordMs} ms`);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** By the process's own id; resolves when it is gone. */
export async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (hasEnded(child)) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
