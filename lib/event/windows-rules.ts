import type { Event } from './event.ts';
import { fieldOf, isFieldName } from './event-field.ts';
import {
  complain,
  complainOfRepeats,
  entriesOf,
  fieldsOf,
  itemsOf,
  type Place,
  readRuleFile,
  textOf,
} from './rule-file.ts';
import { isInstant, parseTime } from './time.ts';

/** A tumbling event-time window, aligned to the epoch: [start, start + sizeMs). */
export interface WindowDefinition {
  readonly name: string;
  readonly sizeMs: number;
  /** How far a shard's watermark stays behind the largest event time it has seen. */
  readonly latenessMs: number;
  /** The event field that is counted by: type, source, subject or an attribute. */
  readonly group: string;
}

export interface WindowExample {
  readonly timeMs: number;
  /** Start of the window, UTC text, by the name of its definition. */
  readonly starts: Readonly<Record<string, string>>;
}

export interface WindowRules {
  readonly windows: readonly WindowDefinition[];
  readonly examples: readonly WindowExample[];
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** Below a second there are more windows than events; above a day a restart has too much to load. */
const sizeLimits = { minMs: 1_000, maxMs: 86_400_000 } as const;
/** An open window stays in memory for as long as its lateness lasts. */
const latenessLimits = { minMs: 0, maxMs: 7 * 86_400_000 } as const;

/** The start of the window that an event time falls into, also before the epoch. */
export function windowStartMs(timeMs: number, sizeMs: number): number {
  return Math.floor(timeMs / sizeMs) * sizeMs;
}

/** What an event is counted under; '' where it has no such attribute. */
export function groupOf(event: Event, group: string): string {
  return fieldOf(event, group) ?? '';
}

/** Reads flow/windows.yaml. Throws ConfigError with every problem: its path and what to do. */
export function parseWindowRules(text: string, file = 'flow/windows.yaml'): WindowRules {
  return readRuleFile(text, file, (root) => {
    const fields = fieldsOf(root, ['windows'], ['examples']);
    const windows = itemsOf(fields['windows']).map(readDefinition);
    if (fields['windows'])
      complainOfRepeats(
        fields['windows'],
        'the name',
        windows.map(({ name }) => name),
      );
    const examples = itemsOf(fields['examples']).map((place) => readExample(place, windows));
    return { windows, examples };
  });
}

/** One sentence per example of the file that does not come out as it says. */
export function failedWindowExamples(rules: WindowRules): readonly string[] {
  return rules.examples.flatMap(({ timeMs, starts }, i) =>
    rules.windows.flatMap(({ name, sizeMs }) => {
      const expected = starts[name];
      const actual = new Date(windowStartMs(timeMs, sizeMs)).toISOString().replace('.000Z', 'Z');
      if (expected === undefined || expected === actual) return [];
      return [`examples[${i}]: the window of ${name} starts at ${actual}, not at ${expected}`];
    }),
  );
}

function readDefinition(place: Place): WindowDefinition {
  const { name, size, lateness, group } = fieldsOf(place, ['name', 'size', 'lateness', 'group']);
  const given = textOf(name);
  if (name && !/^[a-z][a-z0-9-]{0,31}$/.test(given)) {
    complain(name, 'is no window name: use a-z, 0-9 and -, begin with a letter, at most 32 characters');
  }
  const by = textOf(group);
  if (group && !isFieldName(by))
    complain(group, 'is no event field: use type, source, subject or an attribute');
  return {
    name: given,
    sizeMs: readDuration(size, sizeLimits),
    latenessMs: readDuration(lateness, latenessLimits),
    group: by,
  };
}

function readDuration(
  place: Place | undefined,
  limits: { readonly minMs: number; readonly maxMs: number },
): number {
  if (place === undefined) return limits.minMs;
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(String(place.value)) ?? [];
  const ms = Number(count) * unitMs[(unit ?? 's') as keyof typeof unitMs];
  if (Number.isNaN(ms)) {
    complain(place, `is ${JSON.stringify(place.value)} but must be a duration like 30s, 5m, 1h or 1d`);
    return limits.minMs;
  }
  if (ms < limits.minMs || ms > limits.maxMs) {
    complain(place, `is not between ${limits.minMs / 1_000}s and ${limits.maxMs / 86_400_000}d`);
  }
  return ms;
}

function readExample(place: Place, windows: readonly WindowDefinition[]): WindowExample {
  const { time, starts } = fieldsOf(place, ['time', 'starts']);
  const entries = starts ? entriesOf(starts) : [];
  for (const [name, start] of entries) {
    if (!windows.some((window) => window.name === name)) complain(start, 'there is no window of this name');
  }
  const parsed = parseTime(textOf(time));
  if (time && !isInstant(parsed)) complain(time, parsed.problem);
  const texts = entries.map(([name, start]) => [name, textOf(start)] as const);
  return { timeMs: isInstant(parsed) ? parsed.ms : 0, starts: Object.fromEntries(texts) };
}
