import { takeCloudEvent } from './cloud-event.ts';
import type { Event } from './event.ts';
import { families, type Family, takeFamily } from './families.ts';
import { maxLength, takeText } from './limits.ts';
import { type Problem, report, shown } from './problem.ts';

export type ParseResult =
  | { readonly ok: true; readonly event: Event }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface ParseOptions {
  /** The `source` of events whose family has none; a family's own name by default. */
  readonly source?: string;
  /** The value comes from one of our streams, so it may carry the stamp of our writers. */
  readonly trusted?: boolean;
}

/**
 * A JSON value → an event, or every problem with its place. Four shapes are known: CloudEvents 1.0
 * (structured), and the families of families.ts. Which one is meant is told by `specversion` or by the name
 * of the id field.
 */
export function parseEvent(value: unknown, options: ParseOptions = {}): ParseResult {
  const problems: Problem[] = [];
  const event = take(value, options, problems);
  return event !== undefined && problems.length === 0 ? { ok: true, event } : { ok: false, problems };
}

function take(value: unknown, options: ParseOptions, problems: Problem[]): Event | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report(problems, '', 'wrong-type', `is ${shown(value)} but must be an object`);
    return undefined;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  if (fields['specversion'] !== undefined) {
    return takeCloudEvent(fields, options.trusted === true, problems);
  }
  const family = familyOf(fields);
  if (family === undefined) {
    report(problems, '', 'unknown-shape', describeMissing(fields));
    return undefined;
  }
  const { source } = options;
  if (source !== undefined) takeText(source, '/source', maxLength.source, problems);
  return takeFamily(family, fields, source, problems);
}

/** A complete family wins over one of which only the id is there. */
function familyOf(fields: Readonly<Record<string, unknown>>): Family | undefined {
  const complete = families.find((family) => family.required.every((name) => fields[name] !== undefined));
  return complete ?? families.find((family) => fields[family.required[0]] !== undefined);
}

const cloudEventFields = ['specversion', 'id', 'source', 'type', 'time'];

function describeMissing(fields: Readonly<Record<string, unknown>>): string {
  const shapes = [{ name: 'CloudEvents 1.0', required: cloudEventFields }, ...families];
  const tried = shapes.map(({ name, required }) => {
    const missing = required.filter((field) => fields[field] === undefined);
    return `${name} (missing: ${missing.join(', ')})`;
  });
  return `has none of the known shapes: ${tried.join('; ')}`;
}
