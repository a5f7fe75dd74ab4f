import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultOptions } from '../../local/options.ts';
import { type Platform, startPlatform } from '../../local/platform.ts';
import { startKiller } from './killer.ts';
import { type Observed, observe } from './observe.ts';

const projectDir = join(import.meta.dirname, '../..');
/** A platform that does nothing for this long while something is unread has lost it; a slow one is waited for. */
const standstillSeconds = 45;

export interface FileRun {
  readonly observed: Observed;
  readonly sentSeconds: number;
  readonly totalSeconds: number;
  readonly kills: readonly string[];
  /** Consumers that had not read everything when time was up; empty: settled. */
  readonly behind: readonly string[];
  /** Where the platform's data and logs lie; the caller removes them. */
  readonly dataDir: string;
}

export interface FileRunOptions {
  readonly path: string;
  readonly kill: { readonly seed: number; readonly everyMs: number; readonly rate: number } | undefined;
  readonly repeatBatches: boolean;
}

/** One file through one fresh platform with one inbound shard. */
export async function runFile(options: FileRunOptions, signal: AbortSignal): Promise<FileRun> {
  const startedAt = performance.now();
  const dataDir = await mkdtemp(join(tmpdir(), 'weir-e2e-'));
  const platform = await startPlatform(
    {
      ...defaultOptions,
      dataDir,
      portBase: 0,
      inboundShards: 1,
      // The lowest threshold of the statistics: the higher ones are counted from the same derived events.
      settings: { detector: { HIGH_VALUE_THRESHOLD: '100' } },
    },
    { projectDir, onChange: () => {}, onStep: () => {} },
  );
  const killer = options.kill && startKiller(platform, options.kill);
  try {
    const sendingAt = performance.now();
    const rate = options.kill ? ['--rate', String(options.kill.rate)] : [];
    const repeat = options.repeatBatches ? ['--repeat-batches'] : [];
    await weir(['send', options.path, '--ingest', platform.ingestUrl, ...rate, ...repeat], signal);
    const sentSeconds = (performance.now() - sendingAt) / 1_000;
    const kills = killer ? await killer.stop() : [];
    const behind = await waitUntilSettled(platform, signal);
    const observed = await observe(platform);
    const totalSeconds = (performance.now() - startedAt) / 1_000;
    return { observed, sentSeconds, totalSeconds, kills, behind, dataDir };
  } finally {
    await killer?.stop();
    await platform.stop();
  }
}

interface Status {
  readonly consumers: readonly {
    readonly consumer: string;
    readonly outcomes: unknown;
    readonly shards: readonly {
      readonly shard: string;
      readonly stream: string;
      readonly caught_up: boolean | null;
    }[];
  }[];
}

async function waitUntilSettled(platform: Platform, signal: AbortSignal): Promise<readonly string[]> {
  const args = ['status', '--wait', String(standstillSeconds), '--json', '--query', platform.queryUrl];
  let before = '';
  for (;;) {
    if ((await weir(args, signal, [0, 6])) === 0) return [];
    const { consumers } = (await (await fetch(new URL('/v1/status', platform.queryUrl))).json()) as Status;
    const done = JSON.stringify(consumers.map(({ outcomes }) => outcomes));
    if (done === before) return consumers.flatMap(shardsBehind);
    before = done;
  }
}

function shardsBehind({ consumer, shards }: Status['consumers'][number]): readonly string[] {
  const behind = shards.filter((shard) => shard.caught_up !== true);
  return behind.map(({ shard, stream }) => `${consumer} ${stream} ${shard}`);
}

/** The command line as a user runs it. */
function weir(
  args: readonly string[],
  signal: AbortSignal,
  allowed: readonly number[] = [0],
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(projectDir, 'bin/weir'), [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code !== null && allowed.includes(code)) resolve(code);
      else
        reject(
          new Error(
            `weir ${args.join(' ')} ended with ${code}:\n${Buffer.concat(output).toString().slice(-2_000)}`,
          ),
        );
    });
  });
}
