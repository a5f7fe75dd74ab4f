import { pointerTo, type Problem, report, shown } from './problem.ts';

/** Longest texts of an event, in UTF-16 units. */
export const maxLength = {
  /** Four times this in UTF-8 still fits a DynamoDB key (2,048 bytes; 1,024 for a sort key). */
  id: 256,
  source: 256,
  type: 256,
  /** A Kinesis partition key has at most 256 characters, and `subject` is the default one. */
  subject: 256,
  /** A registry address with its query. */
  dataschema: 1_024,
  /** Headers are matched and copied at every hop, so they stay small. */
  attribute: 256,
} as const;

/** Extension attributes per event. */
export const maxAttributes = 32;
/** Levels of arrays and objects in `data`: JSON.stringify recurses, and its stack must not be the limit. */
export const maxDataDepth = 64;

const attributeName = /^[a-z0-9]{1,20}$/;
const notAllowed = /[\p{Cc}\p{Cs}]/u;

/** Names that mean something else at the top level of a CloudEvents object. */
export const reservedNames: ReadonlySet<string> = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'time',
  'subject',
  'dataschema',
  'traceparent',
  'data',
]);

/**
 * `value` if it is a text that an event may carry under `pointer`, otherwise '' and an entry in `problems`.
 */
export function takeText(value: unknown, pointer: string, max: number, problems: Problem[]): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= max && !notAllowed.test(value)) {
    return value;
  }
  explainText(value, pointer, max, problems);
  return '';
}

/**
 * CloudEvents 1.0 attribute naming; ours is the strict form (at most 20 characters), so that any binding can
 * carry it.
 */
export function isAttributeName(name: string): boolean {
  return attributeName.test(name) && !reservedNames.has(name);
}

export function isTooDeep(data: unknown): boolean {
  return depthExceeds(data, maxDataDepth);
}

function depthExceeds(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((child) => depthExceeds(child, levels - 1));
}

function explainText(value: unknown, pointer: string, max: number, problems: Problem[]): void {
  if (value === undefined || value === null) {
    report(problems, pointer, 'missing', 'is missing');
  } else if (typeof value !== 'string') {
    report(problems, pointer, 'wrong-type', `is ${shown(value)} but must be a text: put it in quotes`);
  } else if (value === '') {
    report(problems, pointer, 'wrong-format', 'is empty: give at least one character');
  } else if (value.length > max) {
    report(problems, pointer, 'too-long', `has ${value.length} characters; at most ${max} are taken`);
  } else {
    const detail = 'holds a control character or half of a surrogate pair: remove it';
    report(problems, pointer, 'wrong-format', detail);
  }
}

/** Checks the names, the number and the texts of attributes that did not come from a CloudEvents object. */
export function checkAttributes(attributes: Readonly<Record<string, string>>, problems: Problem[]): void {
  const names = Object.keys(attributes);
  if (names.length > maxAttributes) {
    report(problems, '', 'too-long', `has ${names.length} attributes; at most ${maxAttributes} are taken`);
  }
  for (const name of names) {
    if (!isAttributeName(name)) {
      const detail = 'is no attribute name: use 1 to 20 of a-z and 0-9, and no CloudEvents field';
      report(problems, pointerTo(name), 'wrong-format', detail);
    }
    takeText(attributes[name], pointerTo(name), maxLength.attribute, problems);
  }
}
