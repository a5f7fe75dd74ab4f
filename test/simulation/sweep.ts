import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Failure, Simulation } from './simulations.ts';

export interface SweepPlan {
  readonly simulation: Simulation;
  readonly base: number;
  readonly seeds: number;
  /** Troubles in each history; by default as many as fit CI. */
  readonly troubles: number | undefined;
}

/** What a worker process is asked for, and what it answers. */
export interface Chunk {
  readonly simulation: Simulation;
  readonly troubles: number | undefined;
  readonly seeds: readonly number[];
}
export interface ChunkDone {
  readonly seeds: number;
  readonly failures: readonly Failure[];
}

export interface SweepResult extends SweepPlan {
  /** Histories that were run: all of them, unless it was stopped. */
  readonly done: number;
  readonly seconds: number;
  readonly failures: readonly Failure[];
}

/** Seeds asked for at a time: some seconds of work, so that progress shows and cores end together. */
const chunkSeeds = 10;
/** More failures than that say nothing new. */
const failuresMax = 10;

/** Runs many seeds on all cores. `signal` stops it early, with what was done until then. */
export async function sweep(
  plan: SweepPlan,
  onProgress: (done: number, failures: readonly Failure[]) => void = () => {},
  signal?: AbortSignal,
): Promise<SweepResult> {
  const startedMs = performance.now();
  const failures: Failure[] = [];
  let done = 0;
  let next = plan.base;
  const end = plan.base + plan.seeds;
  const chunk = (): Chunk | undefined => {
    if (signal?.aborted || failures.length >= failuresMax || next >= end) return undefined;
    const seeds = Array.from({ length: Math.min(chunkSeeds, end - next) }, (_, index) => next + index);
    next += seeds.length;
    return { simulation: plan.simulation, troubles: plan.troubles, seeds };
  };
  const processes = Math.min(availableParallelism(), Math.ceil(plan.seeds / chunkSeeds));
  await Promise.all(
    Array.from({ length: processes }, () =>
      work(
        chunk,
        (answer) => {
          done += answer.seeds;
          failures.push(...answer.failures);
          onProgress(done, failures);
        },
        signal,
      ),
    ),
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  return { ...plan, done, seconds, failures: failures.toSorted((a, b) => a.seed - b.seed) };
}

/** One worker process, from its start to the last chunk. Rejects when it dies. */
function work(
  chunk: () => Chunk | undefined,
  onDone: (answer: ChunkDone) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const worker = fork(join(import.meta.dirname, 'seed-worker.ts'), { execArgv: ['--import', 'tsx'] });
  const stop = (): void => release(worker);
  signal?.addEventListener('abort', stop, { once: true });
  const give = (): void => {
    const asked = chunk();
    if (asked) worker.send(asked);
    else release(worker);
  };
  return new Promise<void>((resolve, reject) => {
    worker.on('message', (answer: ChunkDone) => {
      onDone(answer);
      give();
    });
    worker.on('error', reject);
    worker.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`A worker ended with code ${code}`)),
    );
    give();
  }).finally(() => signal?.removeEventListener('abort', stop));
}

/** A worker ends by itself when its channel closes. */
function release(worker: ChildProcess): void {
  if (worker.connected) worker.disconnect();
}
