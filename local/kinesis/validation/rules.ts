import { ServiceError } from '../errors.ts';

/**
 * Reads one member of a request. A value that breaks a constraint adds a problem in the service's words and is
 * returned anyway: `parse` throws before anyone sees it. A value of a wrong JSON type throws at once, as the
 * service's reader does.
 */
export type Rule<T> = (value: unknown, path: string, problems: string[]) => T;
export type Parsed<R> = R extends Rule<infer T> ? T : never;

type Fields = Readonly<Record<string, Rule<unknown>>>;
type Shape<F extends Fields> = { readonly [K in keyof F]: Parsed<F[K]> };

/** More problems than this are not listed. */
const PROBLEMS_MAX = 10;

export function parse<T>(rule: Rule<T>, input: unknown): T {
  const problems: string[] = [];
  const value = rule(input, '', problems);
  if (problems.length > 0) throw validationError(problems);
  return value;
}

export function validationError(problems: readonly string[]): ServiceError {
  const listed = problems.slice(0, PROBLEMS_MAX);
  const noun = listed.length === 1 ? 'error' : 'errors';
  return new ServiceError(
    'ValidationException',
    `${listed.length} validation ${noun} detected: ${listed.join('; ')}`,
  );
}

export function problem(shown: string, path: string, constraint: string): string {
  return `Value ${shown} at '${path}' failed to satisfy constraint: Member must ${constraint}`;
}

export function optional<T>(rule: Rule<T>): Rule<T | undefined> {
  return (value, path, problems) =>
    value === undefined || value === null ? undefined : rule(value, path, problems);
}

export function text(bounds: { min?: number; max?: number; pattern?: RegExp } = {}): Rule<string> {
  return required((value, path, problems) => {
    if (typeof value !== 'string') throw wrongType(path, 'a string');
    const { min = 0, max = Number.POSITIVE_INFINITY, pattern } = bounds;
    const shown = `'${value.slice(0, 128)}'`;
    if (value.length < min) {
      problems.push(problem(shown, path, `have length greater than or equal to ${min}`));
    }
    if (value.length > max) problems.push(problem(shown, path, `have length less than or equal to ${max}`));
    if (pattern && !pattern.test(value)) {
      problems.push(problem(shown, path, `satisfy regular expression pattern: ${shownPattern(pattern)}`));
    }
    return value;
  });
}

export function oneOf<const T extends string>(allowed: readonly T[]): Rule<T> {
  return required((value, path, problems) => {
    if (typeof value !== 'string') throw wrongType(path, 'a string');
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) {
      problems.push(problem(`'${value}'`, path, `satisfy enum value set: [${allowed.join(', ')}]`));
    }
    return found as T;
  });
}

export function integer(min: number, max: number): Rule<number> {
  return required((value, path, problems) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(path, 'a whole number');
    if (value < min) {
      problems.push(problem(`'${value}'`, path, `have value greater than or equal to ${min}`));
    }
    if (value > max) problems.push(problem(`'${value}'`, path, `have value less than or equal to ${max}`));
    return value;
  });
}

/** 0 … 1. */
export const fraction: Rule<number> = required((value, path, problems) => {
  if (typeof value !== 'number') throw wrongType(path, 'a number');
  if (!(value >= 0 && value <= 1)) problems.push(problem(`'${value}'`, path, 'have value between 0 and 1'));
  return value;
});

export const flag: Rule<boolean> = required((value, path) => {
  if (typeof value !== 'boolean') throw wrongType(path, 'true or false');
  return value;
});

/** Seconds with a fraction on the wire, milliseconds here. */
export const timestampMs: Rule<number> = required((value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongType(path, 'a number of seconds');
  return Math.round(value * 1000);
});

export function list<T>(rule: Rule<T>, min: number, max: number): Rule<readonly T[]> {
  return required((value, path, problems) => {
    if (!Array.isArray(value)) throw wrongType(path, 'a list');
    checkLength(value.length, min, max, path, problems);
    return value.map((item, i) => rule(item, `${path}.${i + 1}.member`, problems));
  });
}

export function textMap(key: Rule<string>, value: Rule<string>, max: number): Rule<Record<string, string>> {
  return required((given, path, problems) => {
    if (!isObject(given)) throw wrongType(path, 'a map');
    const entries = Object.entries(given);
    checkLength(entries.length, 1, max, path, problems);
    return Object.fromEntries(
      entries.map(([k, v]) => [key(k, `${path}.key`, problems), value(v, `${path}.${k}.member`, problems)]),
    );
  });
}

export function shape<const F extends Fields>(fields: F): Rule<Shape<F>> {
  return required((value, path, problems) => {
    if (!isObject(value)) throw wrongType(path, 'an object');
    const read = Object.entries(fields).map(([name, rule]) => {
      const member = name.charAt(0).toLowerCase() + name.slice(1);
      return [name, rule(value[name], path === '' ? member : `${path}.${member}`, problems)];
    });
    return Object.fromEntries(read) as Shape<F>;
  });
}

export function wrongType(path: string, wanted: string): ServiceError {
  return new ServiceError('SerializationException', `${path || 'The request'} must be ${wanted}`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function required<T>(rule: Rule<T>): Rule<T> {
  return (value, path, problems) => {
    if (value !== undefined && value !== null) return rule(value, path, problems);
    problems.push(problem('null', path, 'not be null'));
    return undefined as T;
  };
}

function checkLength(length: number, min: number, max: number, path: string, problems: string[]): void {
  const shown = `'[${length} members]'`;
  if (length < min) problems.push(problem(shown, path, `have length greater than or equal to ${min}`));
  if (length > max) problems.push(problem(shown, path, `have length less than or equal to ${max}`));
}

function shownPattern(pattern: RegExp): string {
  return pattern.source.replace(/^\^/, '').replace(/\$$/, '');
}
