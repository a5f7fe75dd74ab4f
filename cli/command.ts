import type { Output } from './output.ts';

/** Documented in `weir --help`; scripts rely on them. */
export const exitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  permission: 4,
  conflict: 5,
  checkFailed: 6,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

export interface Option {
  /** `flag` takes no value; `list` may be repeated. */
  readonly kind: 'text' | 'flag' | 'list';
  /** Shown in help, e.g. `N` or `URL`. */
  readonly value?: string;
  readonly what: string;
}

export type Options = Readonly<Record<string, Option>>;

/** What the user gave, by option name without dashes. */
export type Given<O extends Options> = {
  readonly [K in keyof O]: O[K]['kind'] extends 'flag'
    ? boolean
    : O[K]['kind'] extends 'list'
      ? readonly string[]
      : string | undefined;
};

export interface CommandContext<O extends Options = Options> {
  readonly given: Given<O>;
  readonly positionals: readonly string[];
  readonly output: Output;
  /** Aborts at the first Ctrl-C; the second ends the process. */
  readonly signal: AbortSignal;
}

/** One verb of `weir`, one file in cli/. */
export interface Command<O extends Options = Options> {
  /** `['events', 'list']` */
  readonly path: readonly string[];
  readonly summary: string;
  /** Names of what comes after the verb; a trailing `?` marks the optional ones. */
  readonly positionals: readonly string[];
  readonly options: O;
  readonly examples: readonly string[];
  readonly run: (context: CommandContext<O>) => Promise<ExitCode>;
}

export function defineCommand<const O extends Options>(command: Command<O>): Command {
  // The runner fills `given` from the same options, so the narrower type is what each command really gets.
  return command as unknown as Command;
}
