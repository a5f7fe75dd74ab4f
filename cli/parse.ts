import { parseArgs } from 'node:util';
import { messageOf, PlatformError } from '../lib/runtime/errors.ts';
import type { Command, Given, Option, Options } from './command.ts';

/** What is wrong with the words on the command line; exit code 2. */
export class UsageError extends PlatformError {
  constructor(message: string) {
    super('usage', message);
  }
}

export interface Parsed {
  readonly given: Given<Options>;
  readonly positionals: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
  readonly help: boolean;
}

export const globalOptions = {
  json: { kind: 'flag', what: 'one JSON document on stdout' },
  quiet: { kind: 'flag', what: 'no progress and no notes on stderr' },
  help: { kind: 'flag', what: 'this text' },
} as const satisfies Options;

/** Finds the verb: `events list …` before `events …`. Undefined: there is none. */
export function findCommand(commands: readonly Command[], words: readonly string[]): Command | undefined {
  return commands.find((command) => command.path.every((part, at) => words[at] === part));
}

/** @throws UsageError that names the word and lists what there is. */
export function parseCommandLine(command: Command, words: readonly string[]): Parsed {
  const options: Options = { ...command.options, ...globalOptions };
  const config = Object.fromEntries(
    Object.entries(options).map(([name, option]) => [
      name,
      { type: option.kind === 'flag' ? 'boolean' : 'string', multiple: option.kind === 'list' } as const,
    ]),
  );
  const { values, positionals } = parseOrRefuse(words.slice(command.path.length), config);
  const help = values['help'] === true;
  const needed = command.positionals.filter((name) => !name.endsWith('?')).length;
  if (!help && positionals.length < needed) {
    throw new UsageError(`${command.path.join(' ')} needs ${command.positionals[positionals.length]}`);
  }
  if (positionals.length > command.positionals.length) {
    throw new UsageError(
      `${command.path.join(' ')} does not take "${positionals[command.positionals.length]}"`,
    );
  }
  const given = Object.fromEntries(
    Object.entries(command.options).map(([name, option]) => [name, valueOf(option.kind, values[name])]),
  );
  return {
    given: given as Given<Options>,
    positionals,
    json: values['json'] === true,
    quiet: values['quiet'] === true,
    help,
  };
}

function valueOf(kind: 'text' | 'flag' | 'list', value: unknown): unknown {
  if (kind === 'flag') return value === true;
  return kind === 'list' ? (value ?? []) : value;
}

type ParserConfig = Record<string, { readonly type: 'boolean' | 'string'; readonly multiple: boolean }>;

function parseOrRefuse(words: readonly string[], options: ParserConfig) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(messageOf(error).split('. ')[0] ?? 'unknown option');
  }
}

export function helpFor(command: Command): string {
  const options = Object.entries<Option>({ ...command.options, ...globalOptions });
  const words = options.map(([name, option]) => `--${name}${option.value ? ` ${option.value}` : ''}`);
  const width = Math.max(...words.map((word) => word.length));
  return [
    `weir ${command.path.join(' ')} ${command.positionals.map(bracketed).join(' ')}`.trimEnd(),
    '',
    command.summary,
    '',
    ...options.flatMap(([, option], at) => wrapped(`  ${(words[at] ?? '').padEnd(width)}  `, option.what)),
    '',
    ...command.examples.map((example) => `  ${example}`),
  ].join('\n');
}

const pageWidth = 80;

function wrapped(head: string, text: string): readonly string[] {
  const lines: string[] = [];
  let line = head;
  for (const word of text.split(' ')) {
    if (line.length + word.length > pageWidth && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = ' '.repeat(head.length);
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}

function bracketed(name: string): string {
  return name.endsWith('?') ? `[${name.slice(0, -1)}]` : name;
}

export function helpForAll(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.path.join(' ').length));
  return [
    'weir VERB …: an event-streaming platform that can prove its answers',
    '',
    ...commands.flatMap((command) => wrapped(`  ${command.path.join(' ').padEnd(width)}  `, command.summary)),
    '',
    'weir VERB --help tells more. Every verb takes --json and --quiet.',
    'Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 permission, 5 conflict,',
    '6 check failed, 130 interrupted.',
  ].join('\n');
}
