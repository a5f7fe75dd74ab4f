import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assert, PlatformError } from '../../lib/runtime/errors.ts';
import {
  type Copy,
  isSent,
  parseCopy,
  parseDockerfile,
  parseEnv,
  parseRun,
  type Stage,
  withoutEffect,
} from './dockerfile.ts';

/** What the last stage left. */
export interface Image {
  /** Its WORKDIR. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Place {
  /** The folder that holds Dockerfile and .dockerignore. */
  readonly context: string;
  /** A folder for the stages. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onStep: (text: string) => void;
}

/**
 * Does what the Dockerfile says, step by step, in plain folders: there is no engine here, so the base images are
 * missing and this machine's Node and npm stand for theirs. Every stage is a folder of its own, hence clean.
 * @throws PlatformError `dockerfile` for a step that fails, or that is not known here
 */
export async function buildImage(place: Place): Promise<Image> {
  const stages = parseDockerfile(await readFile(join(place.context, 'Dockerfile'), 'utf8'));
  const done = new Map<string, Promise<Image>>();
  for (const stage of stages) done.set(stage.name, buildStage(stage, place, done));
  // All are waited for, so that none is left behind by the failure of another.
  await Promise.allSettled(done.values());
  const last = await done.get(stages.at(-1)?.name ?? '');
  assert(last, 'the Dockerfile has no stage');
  return last;
}

/** Stages are built side by side; one waits for another where it copies from it. */
async function buildStage(
  stage: Stage,
  place: Place,
  others: ReadonlyMap<string, Promise<Image>>,
): Promise<Image> {
  const root = stageRoot(place, stage.name);
  let image: Image = { folder: root, env: {} };
  for (const { keyword, rest } of stage.instructions) {
    const step = `${keyword} ${rest}`;
    if (withoutEffect.includes(keyword)) continue;
    switch (keyword) {
      case 'WORKDIR':
        image = { ...image, folder: join(root, rest) };
        await mkdir(image.folder, { recursive: true });
        break;
      case 'ENV':
        image = { ...image, env: { ...image.env, ...parseEnv(rest) } };
        break;
      case 'COPY':
        await copy(parseCopy(rest), image.folder, place, others);
        break;
      case 'RUN':
        place.onStep(step);
        await run(parseRun(rest), image.folder, place.signal);
        break;
      default:
        throw new PlatformError('dockerfile', `${step}: this instruction is not known here`);
    }
  }
  return image;
}

const stageRoot = ({ folder }: Place, stage: string): string => join(folder, stage || 'image');

async function copy(
  { from, sources, target }: Copy,
  workdir: string,
  place: Place,
  others: ReadonlyMap<string, Promise<Image>>,
): Promise<void> {
  if (from !== undefined) await others.get(from);
  const ignore = await readFile(join(place.context, '.dockerignore'), 'utf8');
  for (const source of sources) {
    const origin = join(from === undefined ? place.context : stageRoot(place, from), source);
    const into = target.endsWith('/') ? join(target, basename(source)) : target;
    await cp(origin, join(workdir, into), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => from !== undefined || isSent(ignore, path.slice(place.context.length + 1)),
    });
    await stat(join(workdir, into)).catch((cause: unknown) => {
      throw new PlatformError('dockerfile', `COPY ${source}: .dockerignore holds it back`, { cause });
    });
  }
}

function run([command = '', ...args]: readonly string[], cwd: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => said.push(text.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      const what = `${command} ${args.join(' ')}`;
      if (code === 0) resolve();
      else reject(new PlatformError('dockerfile', `${what} ended with ${code}:\n${said.join('')}`));
    });
  });
}
