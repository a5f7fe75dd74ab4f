import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome, State } from './state.ts';

export interface Store {
  readonly state: () => State;
  /** Resolves with the answer once the new state, if there is one, is on disk. */
  readonly keep: (outcome: Outcome<object>) => Promise<object>;
}

/** Files are written one after another, each the newest state, so the last on disk is the last answered. */
export async function openStore(dataDir: string | undefined): Promise<Store> {
  const file = dataDir === undefined ? undefined : join(dataDir, 'glue.json');
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
  let state = file === undefined ? { registries: {} } : await readState(file);
  let written = Promise.resolve();
  return {
    state: () => state,
    keep: async (outcome) => {
      if (outcome.state === undefined) return outcome.answer;
      state = outcome.state;
      if (file !== undefined) {
        const write = (): Promise<void> => writeState(file, state);
        written = written.then(write, write);
        await written;
      }
      return outcome.answer;
    },
  };
}

async function readState(file: string): Promise<State> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as State;
  } catch (error) {
    if (error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOENT')
      return { registries: {} };
    throw error;
  }
}

async function writeState(file: string, state: State): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(state, undefined, 2));
  await rename(`${file}.new`, file);
}
