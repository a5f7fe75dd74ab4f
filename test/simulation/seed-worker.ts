// A worker process of the sweep: runs the seeds it is given, until its channel closes.
import { type Failure, failureOf, simulations } from './simulations.ts';
import type { Chunk, ChunkDone } from './sweep.ts';

// Histories are full of errors that somebody expects; nobody reads where they came from.
Error.stackTraceLimit = 0;

process.on('message', (chunk: Chunk) => void answer(chunk));
process.on('disconnect', () => process.exit(0));
// The terminal tells the whole group; the parent decides.
process.on('SIGINT', () => {});

async function answer({ seeds, simulation, troubles }: Chunk): Promise<void> {
  const failures: Failure[] = [];
  for (const seed of seeds) {
    const failure = failureOf(simulation, await simulations[simulation](seed, troubles), troubles);
    if (failure) failures.push(failure);
  }
  const done: ChunkDone = { seeds: seeds.length, failures };
  if (process.connected) process.send?.(done);
}
