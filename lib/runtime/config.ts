import { ConfigError, messageOf } from './errors.ts';

/** One environment variable: what it means, how its text becomes a value, and its value when absent. */
export interface Setting<T> {
  readonly describe: string;
  readonly parse: (text: string) => T;
  /** Absent means that the variable must be given. Names of resources never have a fallback. */
  readonly fallback?: { readonly value: T };
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type Config<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

type Required<S extends Settings> = {
  [K in keyof S]: S[K] extends { readonly fallback: object } ? never : K;
}[keyof S];

/** What must be passed to start a service: every setting without a fallback, and any of the others. */
export type EnvironmentOf<S extends Settings> = { readonly [K in Required<S>]: string } & {
  readonly [K in Exclude<keyof S, Required<S>>]?: string;
};

/** Reads every setting; all problems are reported in one ConfigError that names each variable and its meaning. */
export function readConfig<S extends Settings>(
  settings: S,
  env: Readonly<Record<string, string | undefined>>,
): Config<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const text = env[name];
    if (text === undefined || text === '') {
      if (setting.fallback) values[name] = setting.fallback.value;
      else problems.push(`${name} is not set: give ${setting.describe}`);
      continue;
    }
    try {
      values[name] = setting.parse(text);
    } catch (error) {
      problems.push(`${name}="${text.slice(0, 80)}" ${messageOf(error)}: give ${setting.describe}`);
    }
  }
  if (problems.length > 0) throw new ConfigError('Environment variables are missing or wrong', problems);
  return values as Config<S>;
}

export function text(describe: string): Setting<string> {
  return { describe, parse: (value) => value };
}

export function textOr<const D extends string>(
  describe: string,
  value: D,
): Setting<string> & { readonly fallback: { readonly value: string } } {
  return { ...text(describe), fallback: { value } };
}

interface Range {
  readonly min: number;
  readonly max: number;
}

function parseNumber(value: string, range: Range): number {
  const parsed = Number(value);
  if (!Number.isFinite(parsed)) throw new TypeError('is not a number');
  if (parsed < range.min || parsed > range.max) {
    throw new RangeError(`is outside ${range.min} … ${range.max}`);
  }
  return parsed;
}

export function integer(describe: string, range: Range): Setting<number> {
  return {
    describe: `${describe} (whole number, ${range.min} … ${range.max})`,
    parse: (value) => {
      const parsed = parseNumber(value, range);
      if (!Number.isInteger(parsed)) throw new TypeError('is not a whole number');
      return parsed;
    },
  };
}

export function integerOr(
  describe: string,
  range: Range,
  value: number,
): Setting<number> & { readonly fallback: { readonly value: number } } {
  return { ...integer(describe, range), fallback: { value } };
}

export function decimalOr(
  describe: string,
  range: Range,
  value: number,
): Setting<number> & { readonly fallback: { readonly value: number } } {
  return {
    describe: `${describe} (${range.min} … ${range.max})`,
    parse: (given) => parseNumber(given, range),
    fallback: { value },
  };
}

export function oneOf<const T extends string>(
  describe: string,
  allowed: readonly T[],
  value: T,
): Setting<T> & { readonly fallback: { readonly value: T } } {
  return {
    describe: `${describe} (one of ${allowed.join(', ')})`,
    parse: (given) => {
      const found = allowed.find((candidate) => candidate === given);
      if (found === undefined) throw new TypeError(`is not one of ${allowed.join(', ')}`);
      return found;
    },
    fallback: { value },
  };
}

/** A JSON object of texts, e.g. `{"city":"weir-dev-city"}`. */
export function textMap(describe: string): Setting<Readonly<Record<string, string>>> {
  return {
    describe: `${describe} (a JSON object of texts)`,
    parse: (value) => {
      const parsed: unknown = JSON.parse(value);
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
        throw new TypeError('is not a JSON object');
      }
      for (const [key, entry] of Object.entries(parsed)) {
        if (typeof entry !== 'string' || entry === '') throw new TypeError(`has no text under "${key}"`);
      }
      return parsed as Record<string, string>;
    },
  };
}
