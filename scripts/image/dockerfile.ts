import { PlatformError } from '../../lib/runtime/errors.ts';

/** One instruction, e.g. `COPY` with `lib lib`. */
export interface Instruction {
  readonly keyword: string;
  readonly rest: string;
}

export interface Stage {
  /** What `FROM … AS name` says; the last stage has none. */
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

export interface Copy {
  /** Another stage; undefined: the folder that is built. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}

/** Instructions that change nothing that a check without an engine could see. */
export const withoutEffect: readonly string[] = [
  'USER',
  'EXPOSE',
  'HEALTHCHECK',
  'STOPSIGNAL',
  'ENTRYPOINT',
  'CMD',
];

/** The stages of a Dockerfile in order. Comments and continued lines are undone; ARGs before a stage do not matter here. */
export function parseDockerfile(text: string): readonly Stage[] {
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const instructions = lines.map((line): Instruction => {
    const [keyword = '', rest = ''] = line.split(/\s+(.*)/s);
    return { keyword, rest };
  });
  const starts = instructions.flatMap(({ keyword }, at) => (keyword === 'FROM' ? [at] : []));
  return starts.map((start, index) => ({
    name: /\bAS\s+(\S+)$/.exec(instructions[start]?.rest ?? '')?.[1] ?? '',
    instructions: instructions.slice(start + 1, starts[index + 1]),
  }));
}

/** `--from=build /app/dist dist` */
export function parseCopy(rest: string): Copy {
  const words = rest.split(/\s+/);
  const from = words[0]?.startsWith('--from=') === true ? words.shift()?.slice('--from='.length) : undefined;
  const target = words.pop();
  if (target === undefined || words.length === 0 || words.some((word) => word.startsWith('--'))) {
    throw new PlatformError('dockerfile', `COPY ${rest}: only --from is known here`);
  }
  return { from, sources: words, target };
}

/** `NODE_ENV=production PATH=/nodejs/bin` */
export function parseEnv(rest: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    rest.split(/\s+/).map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

/** `["npx", "tsc"]` as it is, anything else through the shell of the build image. */
export function parseRun(rest: string): readonly string[] {
  return rest.startsWith('[') ? (JSON.parse(rest) as readonly string[]) : ['sh', '-c', rest];
}

/** Whether .dockerignore lets a path through: the last pattern that fits decides. Knows `*`, `!` and folders. */
export function isSent(ignore: string, path: string): boolean {
  let sent = true;
  for (const line of ignore.split('\n').map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const pattern = line.replace(/^!/, '');
    const expression = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
    if (new RegExp(`^${expression.join('[^/]*')}(/|$)`).test(path)) sent = line.startsWith('!');
  }
  return sent;
}
