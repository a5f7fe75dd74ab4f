import { isDeepStrictEqual } from 'node:util';
import { isMapping } from '../rule-file.ts';
import { shown } from '../problem.ts';
import type { Mapping, MappingExample } from './mapping.ts';
import { type Entry, readEntries } from './read-events.ts';

/** One sentence per example of the file that does not come out as it says. */
export async function failedMappingExamples(mapping: Mapping): Promise<readonly string[]> {
  const failures = await Promise.all(
    mapping.examples.map(async (example, i) => {
      const found = await differences(mapping, example);
      return found.map((difference) => `examples[${i}]: ${difference}`);
    }),
  );
  return failures.flat();
}

async function differences(mapping: Mapping, example: MappingExample): Promise<readonly string[]> {
  const entry = await firstEntry(mapping, example.input);
  if (entry === undefined) return ['the input has no record'];
  if ('event' in entry) {
    return example.event === undefined
      ? ['gives an event, but a problem is expected']
      : unlike(example.event, entry.event, '');
  }
  const problem = `${entry.problem.field} ${entry.problem.detail}`;
  if (example.problem !== undefined && problem.includes(example.problem)) return [];
  return [`gives the problem "${problem.trim()}"`];
}

async function firstEntry(mapping: Mapping, input: string): Promise<Entry | undefined> {
  for await (const entry of readEntries(Buffer.from(input), mapping)) return entry;
  return undefined;
}

/**
 * Where `actual` lacks what `expected` names; it may have more. Attributes must be the same, since rules
 * match them.
 */
function unlike(expected: unknown, actual: unknown, path: string): readonly string[] {
  const whole = path === 'attributes' || !isMapping(expected) || !isMapping(actual);
  if (whole) {
    return isDeepStrictEqual(expected, actual) ? [] : [`${path} is ${shown(actual)}, not ${shown(expected)}`];
  }
  return Object.entries(expected).flatMap(([name, value]) =>
    unlike(value, actual[name], path === '' ? name : `${path}.${name}`),
  );
}
