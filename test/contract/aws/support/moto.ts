import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { closeServer } from '../../../../local/close-server.ts';
import { listen } from '../../../../local/listen.ts';

const host = '127.0.0.1';
/** It answers within a second on an idle machine. */
const readyWithinMs = 15_000;
const readyCheckMs = 50;

let started: Promise<{ readonly url: string; readonly process: ChildProcess }> | undefined;

/** Whether this machine's python has moto's server. */
export function isMotoThere(): boolean {
  return spawnSync('python3', ['-c', 'import moto.server']).status === 0;
}

/** The address of moto, started when it is first asked for; one process serves every suite and ends with them. */
export async function motoUrl(): Promise<string> {
  started ??= startMoto();
  return (await started).url;
}

async function startMoto() {
  const port = await freePort();
  const process = spawn('python3', ['-m', 'moto.server', '-H', host, '-p', String(port)], {
    stdio: 'ignore',
  });
  const url = `http://${host}:${port}`;
  const deadline = performance.now() + readyWithinMs;
  while (!(await answers(url))) {
    if (performance.now() > deadline || process.exitCode !== null) {
      process.kill();
      throw new Error(`moto did not answer on ${url} within ${readyWithinMs} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, readyCheckMs));
  }
  return { url, process };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/moto-api/`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await listen(probe, { host, port: 0, what: 'moto' });
  await closeServer(probe);
  return port;
}

// A root hook: it runs once, after the last suite of the run.
after(async () => {
  const { process } = (await started) ?? {};
  if (process === undefined || process.exitCode !== null) return;
  await new Promise((resolve) => {
    process.once('exit', resolve);
    process.kill();
  });
});
