import type { Encoding } from './codec.ts';
import type { Event } from './event.ts';
import { fieldOf, isFieldName } from './event-field.ts';
import {
  complain,
  complainOfRepeats,
  entriesOf,
  type Fields,
  fieldsOf,
  itemsOf,
  oneOf,
  type Place,
  readRuleFile,
  textOf,
  textsOf,
} from './rule-file.ts';

/** Where a copy of an event goes. */
export type Target = { readonly kind: 'stream'; readonly stream: string } | { readonly kind: 'bus' };

export interface StreamRule {
  readonly what: string;
  readonly encoding: Encoding;
}

/** True if the field has one of the values, or begins with one of the prefixes. */
interface Condition {
  readonly field: string;
  readonly values: ReadonlySet<string>;
  readonly prefixes: readonly string[];
}

/** `by` is the field whose value picks the stream; all its values are known beforehand. */
type StreamChoice =
  | { readonly kind: 'fixed'; readonly stream: string }
  | { readonly kind: 'by-value'; readonly by: string; readonly streams: ReadonlyMap<string, string> };

export interface RouteRule {
  readonly name: string;
  readonly conditions: readonly Condition[];
  readonly streams: readonly StreamChoice[];
  readonly bus: boolean;
}

export interface RouteExample {
  readonly event: Event;
  /** Names of targets (see `targetName`) in any order. */
  readonly to: readonly string[];
}

export interface Routes {
  readonly streams: Readonly<Record<string, StreamRule>>;
  readonly rules: readonly RouteRule[];
  readonly examples: readonly RouteExample[];
}

/**
 * Every target of every rule that matches, each once, in the order of the rules. None: the event is unrouted.
 */
export function route(event: Event, rules: readonly RouteRule[]): readonly Target[] {
  const streams = new Set<string>();
  let bus = false;
  for (const rule of rules) {
    if (!rule.conditions.every((condition) => holds(condition, event))) continue;
    for (const choice of rule.streams) {
      const stream =
        choice.kind === 'fixed' ? choice.stream : choice.streams.get(fieldOf(event, choice.by) ?? '');
      if (stream !== undefined) streams.add(stream);
    }
    bus ||= rule.bus;
  }
  const targets: Target[] = [...streams].map((stream) => ({ kind: 'stream', stream }));
  return bus ? [...targets, { kind: 'bus' }] : targets;
}

/** `stream:city` or `bus`, as examples and messages write it. */
export function targetName(target: Target): string {
  return target.kind === 'stream' ? `stream:${target.stream}` : 'bus';
}

/** One sentence per example of the file that does not come out as it says. */
export function failedRouteExamples(routes: Routes): readonly string[] {
  return routes.examples.flatMap((example, i) => {
    const actual = route(example.event, routes.rules).map(targetName).toSorted().join(', ');
    const expected = example.to.toSorted().join(', ');
    return actual === expected ? [] : [`examples[${i}]: goes to [${actual}], not to [${expected}]`];
  });
}

/** Reads flow/routes.yaml. Throws ConfigError with every problem: its path and what to do. */
export function parseRoutes(text: string, file = 'flow/routes.yaml'): Routes {
  return readRuleFile(text, file, (root) => {
    const fields = fieldsOf(root, ['streams', 'routes'], ['examples']);
    const streams = readStreams(fields['streams']);
    const routes = itemsOf(fields['routes']);
    const rules = routes.map((place) => readRule(place, streams));
    if (fields['routes'])
      complainOfRepeats(
        fields['routes'],
        'the name',
        rules.map(({ name }) => name),
      );
    return { streams, rules, examples: itemsOf(fields['examples']).map(readExample) };
  });
}

function holds(condition: Condition, event: Event): boolean {
  const value = fieldOf(event, condition.field);
  if (value === undefined) return false;
  return condition.values.has(value) || condition.prefixes.some((prefix) => value.startsWith(prefix));
}

function readStreams(place: Place | undefined): Routes['streams'] {
  if (place === undefined) return {};
  const entries = entriesOf(place).map(([name, rule]) => {
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(name)) {
      complain(rule, 'is no stream name: use a-z, 0-9 and -, begin with a letter, at most 32 characters');
    }
    const { what, encoding } = fieldsOf(rule, ['what', 'encoding']);
    return [name, { what: textOf(what), encoding: oneOf(encoding, ['json', 'avro']) }] as const;
  });
  if (entries.length === 0) complain(place, 'is empty: declare at least one stream');
  return Object.fromEntries(entries);
}

function readRule(place: Place, streams: Routes['streams']): RouteRule {
  const { name, when, to } = fieldsOf(place, ['name', 'when', 'to']);
  const conditions = when ? readConditions(when) : [];
  const target: Fields = to ? fieldsOf(to, [], ['stream', 'bus']) : {};
  const { stream, bus } = target;
  if (bus && bus.value !== true) complain(bus, 'must be true, or left out');
  if (to && !stream && !bus) complain(to, 'leads nowhere: give a stream, or bus: true');
  const templates = stream ? textsOf(stream).map((text) => ({ text, place: stream })) : [];
  return {
    name: textOf(name),
    conditions,
    streams: templates.flatMap((template) => readChoice(template, conditions, streams)),
    bus: bus !== undefined,
  };
}

function readConditions(place: Place): readonly Condition[] {
  const entries = entriesOf(place);
  if (entries.length === 0) complain(place, "is empty: to match every event write type: '*'");
  return entries.map(([field, given]) => {
    if (!isFieldName(field)) complain(given, 'is no event field: use type, source, subject or an attribute');
    const texts = textsOf(given);
    const misplaced = texts.filter((text) => text.slice(0, -1).includes('*'));
    for (const text of misplaced) complain(given, `"${text}": * may stand at the end only`);
    const prefixes = texts.filter((text) => text.endsWith('*')).map((text) => text.slice(0, -1));
    return { field, values: new Set(texts.filter((text) => !text.endsWith('*'))), prefixes };
  });
}

/**
 * Every stream that a template can name must exist, so its field must be limited to listed values by `when`.
 */
function readChoice(
  template: { readonly text: string; readonly place: Place },
  conditions: readonly Condition[],
  streams: Routes['streams'],
): readonly StreamChoice[] {
  const { text, place } = template;
  const check = (stream: string): string => {
    if (!Object.hasOwn(streams, stream)) {
      const known = Object.keys(streams).join(', ');
      complain(place, `there is no stream "${stream}": declare it under streams, or use one of ${known}`);
    }
    return stream;
  };
  const by = /\$\{([^}]*)\}/.exec(text)?.[1];
  if (by === undefined) return [{ kind: 'fixed', stream: check(text) }];
  const condition = conditions.find(({ field }) => field === by);
  if (condition === undefined || condition.prefixes.length > 0) {
    complain(place, `"${text}" can name any stream: list the values of ${by} under when, without *`);
    return [];
  }
  const named = [...condition.values].map(
    (value) => [value, check(text.replaceAll(`\${${by}}`, value))] as const,
  );
  return [{ kind: 'by-value', by, streams: new Map(named) }];
}

function readExample(place: Place): RouteExample {
  const { event, to } = fieldsOf(place, ['event', 'to']);
  return { event: readExampleEvent(event), to: itemsOf(to).map(textOf) };
}

/** The few fields that rules look at; the rest is made up. */
export function readExampleEvent(place: Place | undefined): Event {
  const fields = place ? fieldsOf(place, ['type'], ['source', 'subject', 'attributes']) : {};
  const { type, source, subject, attributes } = fields;
  const read = attributes ? entriesOf(attributes).map(([name, value]) => [name, textOf(value)] as const) : [];
  return {
    id: 'example',
    source: source ? textOf(source) : '/example',
    type: textOf(type),
    time: '1970-01-01T00:00:00Z',
    timeMs: 0,
    subject: subject ? textOf(subject) : 'example',
    attributes: Object.fromEntries(read),
    data: null,
  };
}
