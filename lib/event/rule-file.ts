import { parseDocument } from 'yaml';
import { ConfigError, messageOf } from '../runtime/errors.ts';
import { shown } from './problem.ts';

/** A value of a rule file with its path, and the list that problems of the whole file go to. */
export interface Place {
  readonly value: unknown;
  readonly path: string;
  readonly problems: string[];
}

/** Aliases may multiply: `&a [*b, *b]` ten times over would fill the memory. */
const maxAliases = 100;

/**
 * Reads a YAML text as strictly as `read` does. Readers below put a stand-in ('', 0, []) where a value is
 * wrong and go on, so that the one ConfigError, thrown at the end, names every problem with its path.
 */
export function readRuleFile<T>(text: string, file: string, read: (root: Place) => T): T {
  const problems: string[] = [];
  const result = read({ value: parseYaml(text, problems), path: '', problems });
  if (problems.length > 0) throw new ConfigError(`${file} cannot be used`, problems);
  return result;
}

export function complain(place: Place, detail: string): void {
  place.problems.push(place.path === '' ? detail : `${place.path}: ${detail}`);
}

export type Fields = Readonly<Record<string, Place>>;

/** The entries of a mapping by name; reports names that are not known and those that are missing. */
export function fieldsOf(
  place: Place,
  required: readonly string[],
  optional: readonly string[] = [],
): Fields {
  const fields = Object.fromEntries(entriesOf(place));
  const known = [...required, ...optional];
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) complain(place, `"${name}" is not known here: use ${known.join(', ')}`);
  }
  const missing = required.filter((name) => fields[name] === undefined);
  if (missing.length > 0 && isMapping(place.value)) complain(place, `${missing.join(', ')} is missing`);
  return fields;
}

export function entriesOf(place: Place): readonly (readonly [string, Place])[] {
  if (!isMapping(place.value)) {
    complain(place, `is ${shown(place.value)} but must be a mapping (name: value)`);
    return [];
  }
  return Object.entries(place.value).map(([name, value]) => [name, inside(place, name, value)] as const);
}

export function itemsOf(place: Place | undefined): readonly Place[] {
  if (place === undefined) return [];
  if (Array.isArray(place.value)) {
    return place.value.map((value: unknown, i) => ({ ...place, value, path: `${place.path}[${i}]` }));
  }
  complain(place, `is ${shown(place.value)} but must be a list`);
  return [];
}

export function textOf(place: Place | undefined): string {
  if (place === undefined) return '';
  if (typeof place.value === 'string' && place.value !== '') return place.value;
  complain(place, `is ${shown(place.value)} but must be a text${quoteIt(place.value)}`);
  return '';
}

/** One text or a list of them. */
export function textsOf(place: Place | undefined): readonly string[] {
  if (place === undefined) return [];
  if (!Array.isArray(place.value)) return [textOf(place)];
  if (place.value.length === 0) complain(place, 'is empty: name at least one');
  return itemsOf(place).map(textOf);
}

export function numberOf(place: Place | undefined): number {
  if (place === undefined) return 0;
  if (typeof place.value === 'number' && Number.isFinite(place.value)) return place.value;
  complain(place, `is ${shown(place.value)} but must be a number`);
  return 0;
}

export function oneOf<const T extends string>(place: Place | undefined, allowed: readonly [T, ...T[]]): T {
  if (place === undefined) return allowed[0];
  const found = allowed.find((candidate) => candidate === place.value);
  if (found === undefined)
    complain(place, `is ${shown(place.value)} but must be one of ${allowed.join(', ')}`);
  return found ?? allowed[0];
}

/** Reports names that occur twice among `named`. */
export function complainOfRepeats(place: Place, what: string, names: readonly string[]): void {
  const repeated = names.filter((name, i) => name !== '' && names.indexOf(name) !== i);
  for (const name of new Set(repeated)) complain(place, `${what} "${name}" occurs twice: rename one`);
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inside(place: Place, name: string, value: unknown): Place {
  return { value, path: place.path === '' ? name : `${place.path}.${name}`, problems: place.problems };
}

function quoteIt(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' ? ': put it in quotes' : '';
}

function parseYaml(text: string, problems: string[]): unknown {
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true });
  for (const { message } of [...document.errors, ...document.warnings]) {
    problems.push(message.split('\n')[0] ?? message);
  }
  if (problems.length > 0) return {};
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    problems.push(messageOf(error));
    return {};
  }
}
