import { shown } from '../problem.ts';
import { exactProduct, toNumber } from './decimal.ts';
import { isAbsent, type Path, type Row, scalarText, valueAt } from './path.ts';

/** How a value of an event is made from a record; see read-expression.ts for how a file says it. */
export type Expression =
  | { readonly kind: 'template'; readonly parts: readonly TemplatePart[] }
  | {
      readonly kind: 'from';
      readonly path: Path;
      readonly split: { readonly at: string; readonly part: number } | undefined;
      readonly step: Step;
      /** What an absent value becomes; it goes through no step. */
      readonly otherwise: unknown;
    }
  | { readonly kind: 'join'; readonly paths: readonly Path[]; readonly with: string }
  | { readonly kind: 'multiply'; readonly paths: readonly Path[] }
  | { readonly kind: 'choose'; readonly cases: readonly Case[] };

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'line' };

export type Step =
  | { readonly kind: 'keep' }
  | { readonly kind: 'as'; readonly type: 'text' | 'number' | 'boolean' }
  | { readonly kind: 'map'; readonly map: ValueMap }
  | { readonly kind: 'bands'; readonly bands: readonly Band[] };

/** Tried in this order: exact text, the prefixes as listed, `*`. */
export interface ValueMap {
  readonly exact: ReadonlyMap<string, string>;
  readonly prefixes: readonly (readonly [string, string])[];
  readonly otherwise: string | undefined;
}

/** The first band that the number is below wins; the last one has no limit. */
export interface Band {
  readonly below: number;
  readonly is: string;
}

export interface Case {
  readonly when: readonly Test[];
  readonly is: Expression;
}

export type Test = { readonly path: Path } & (
  | { readonly kind: 'text'; readonly exact: ReadonlySet<string>; readonly prefixes: readonly string[] }
  | { readonly kind: 'number'; readonly above: number; readonly below: number }
);

/** A record and where it stands: its number among the data records of its file, from 1. */
export interface Input {
  readonly row: Row;
  readonly line: number;
}

/** Why a record gives no event. */
export interface LineProblem {
  /** The event field that could not be made; '' where the line itself is broken. */
  readonly field: string;
  readonly detail: string;
}

/** The value, or undefined where it is absent; problems are added under the name `field`. */
export function evaluate(
  expression: Expression,
  input: Input,
  field: string,
  problems: LineProblem[],
): unknown {
  switch (expression.kind) {
    case 'template':
      return fillTemplate(expression.parts, input, field, problems);
    case 'from':
      return takeFrom(expression, input, field, problems);
    case 'join': {
      const texts = expression.paths.flatMap((path) => valueAt(input.row, path)).map(scalarText);
      const present = texts.filter((text) => !isAbsent(text));
      return present.length === 0 ? undefined : present.join(expression.with);
    }
    case 'multiply': {
      const factors = expression.paths.map((path) => valueAt(input.row, path));
      if (factors.some(isAbsent)) return undefined;
      const product = exactProduct(factors);
      if (product === undefined) {
        problems.push({ field, detail: `${factors.map(shown).join(' × ')} cannot be multiplied` });
      }
      return product;
    }
    case 'choose': {
      const found = expression.cases.find(({ when }) => when.every((test) => passes(test, input.row)));
      return found && evaluate(found.is, input, field, problems);
    }
  }
}

function fillTemplate(
  parts: readonly TemplatePart[],
  input: Input,
  field: string,
  problems: LineProblem[],
): string | undefined {
  let text = '';
  for (const part of parts) {
    if (part.kind === 'text') text += part.text;
    else if (part.kind === 'line') text += String(input.line);
    else {
      const value = valueAt(input.row, part.path);
      const piece = isAbsent(value) ? undefined : scalarText(value);
      if (piece === undefined) {
        const wrong = isAbsent(value) ? 'is absent' : `is ${shown(value)} and no single value`;
        problems.push({ field, detail: `needs "${part.path.text}", which ${wrong}` });
        return undefined;
      }
      text += piece;
    }
  }
  return text;
}

function takeFrom(
  expression: Extract<Expression, { kind: 'from' }>,
  input: Input,
  field: string,
  problems: LineProblem[],
): unknown {
  const { path, split, step, otherwise } = expression;
  const whole = valueAt(input.row, path);
  const value = split === undefined ? whole : scalarText(whole)?.split(split.at)[split.part - 1];
  if (isAbsent(value)) return otherwise;
  const result = applyStep(step, value);
  if (result !== undefined) return result;
  problems.push({ field, detail: `${shown(value)} in "${path.text}" ${stepProblem(step)}` });
  return undefined;
}

/** Undefined: the value does not fit the step. */
function applyStep(step: Step, value: unknown): unknown {
  switch (step.kind) {
    case 'keep':
      return value;
    case 'as':
      return convert(value, step.type);
    case 'map':
      return mapped(step.map, scalarText(value));
    case 'bands': {
      const number = toNumber(value);
      return number === undefined ? undefined : step.bands.find(({ below }) => number < below)?.is;
    }
  }
}

function stepProblem(step: Step): string {
  switch (step.kind) {
    case 'keep':
    case 'as':
      return `is no ${step.kind === 'as' ? step.type : 'value'}`;
    case 'map':
      return "is not in the map: add it, or '*' for all others";
    case 'bands':
      return 'is no number';
  }
}

function convert(value: unknown, type: 'text' | 'number' | 'boolean'): unknown {
  switch (type) {
    case 'text':
      return scalarText(value);
    case 'number':
      return toNumber(value);
    case 'boolean': {
      const text = scalarText(value)?.toLowerCase();
      return text === 'true' ? true : text === 'false' ? false : undefined;
    }
  }
}

function mapped(map: ValueMap, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  return (
    map.exact.get(text) ?? map.prefixes.find(([prefix]) => text.startsWith(prefix))?.[1] ?? map.otherwise
  );
}

function passes(test: Test, row: Row): boolean {
  const value = valueAt(row, test.path);
  if (test.kind === 'number') {
    const number = toNumber(value);
    return number !== undefined && number > test.above && number < test.below;
  }
  const text = scalarText(value);
  if (text === undefined || text === '') return false;
  return test.exact.has(text) || test.prefixes.some((prefix) => text.startsWith(prefix));
}
