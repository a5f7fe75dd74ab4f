import { attribute, type Event } from '../event.ts';
import { severities } from '../families.ts';
import { checkAttributes, isTooDeep, maxDataDepth, maxLength, takeText } from '../limits.ts';
import { type Problem, shown } from '../problem.ts';
import { type Instant, isInstant } from '../time.ts';
import { evaluate, type Expression, type Input, type LineProblem } from './expression.ts';
import type { Mapping } from './mapping.ts';
import { isAbsent, type Row, scalarText, valueAt } from './path.ts';

export type Mapped =
  | { readonly ok: true; readonly event: Event }
  | { readonly ok: false; readonly problem: LineProblem };

/** One record → one event, or the first reason why not. */
export function mapRecord(mapping: Mapping, input: Input): Mapped {
  const problems: LineProblem[] = [];
  const text = (field: 'id' | 'type' | 'subject' | 'source'): string =>
    takeField(mapping[field], field, maxLength[field], input, problems);
  const id = text('id');
  const time = takeTime(mapping, input, problems);
  const event: Event = {
    id,
    source: text('source'),
    type: text('type'),
    time: time.text,
    timeMs: time.ms,
    subject: text('subject'),
    attributes: takeAttributes(mapping, input, problems),
    data: takeData(mapping, input, problems),
  };
  const problem = problems[0];
  return problem === undefined ? { ok: true, event } : { ok: false, problem };
}

function takeField(
  expression: Expression,
  field: string,
  max: number,
  input: Input,
  problems: LineProblem[],
): string {
  const before = problems.length;
  const value = evaluate(expression, input, field, problems);
  if (problems.length > before) return '';
  const wrong: Problem[] = [];
  const text = takeText(typeof value === 'number' ? String(value) : value, '', max, wrong);
  for (const { detail } of wrong) problems.push({ field, detail });
  return text;
}

function takeTime(mapping: Mapping, input: Input, problems: LineProblem[]): Instant {
  const { path, read } = mapping.time;
  const value = valueAt(input.row, path);
  if (isAbsent(value)) {
    problems.push({ field: 'time', detail: `needs "${path.text}", which is absent` });
    return { text: '', ms: 0 };
  }
  const time = read(value);
  if (isInstant(time)) return time;
  problems.push({ field: 'time', detail: `${shown(value)} in "${path.text}" ${time.problem}` });
  return { text: '', ms: 0 };
}

/** An attribute without a value is left out. */
function takeAttributes(mapping: Mapping, input: Input, problems: LineProblem[]): Event['attributes'] {
  const attributes: Record<string, string> = {};
  for (const [name, expression] of mapping.attributes) {
    const value = evaluate(expression, input, name, problems);
    if (isAbsent(value)) continue;
    const text = scalarText(value);
    if (text === undefined) problems.push({ field: name, detail: `is ${shown(value)} and no single value` });
    else attributes[name] = text;
  }
  const wrong: Problem[] = [];
  checkAttributes(attributes, wrong);
  for (const { pointer, detail } of wrong) problems.push({ field: pointer.slice(1), detail });
  const severity = attributes[attribute.severity];
  if (severity !== undefined && !severities.includes(severity)) {
    const detail = `${shown(severity)} is none of ${severities.join(', ')}`;
    problems.push({ field: attribute.severity, detail });
  }
  return attributes;
}

function takeData(mapping: Mapping, input: Input, problems: LineProblem[]): Row {
  if (isTooDeep(input.row)) {
    problems.push({ field: 'data', detail: `has more than ${maxDataDepth} levels` });
    return {};
  }
  if (mapping.rename.size === 0 && mapping.set.length === 0) return input.row;
  const kept = Object.entries(input.row).map(
    ([name, value]) => [mapping.rename.get(name) ?? name, value] as const,
  );
  const made = mapping.set.flatMap(([name, expression]) => {
    const value = evaluate(expression, input, `data.${name}`, problems);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries([...kept, ...made]);
}
