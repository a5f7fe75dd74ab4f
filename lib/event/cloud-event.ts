import { attribute, type Event } from './event.ts';
import {
  isAttributeName,
  isTooDeep,
  maxAttributes,
  maxDataDepth,
  maxLength,
  reservedNames,
  takeText,
} from './limits.ts';
import { pointerTo, type Problem, report, shown } from './problem.ts';
import { type Instant, isInstant, parseTime } from './time.ts';

const jsonType = 'application/json';
const traceparentFormat = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * A CloudEvents 1.0 object in the structured JSON form. `trusted` objects come from our own streams: they may
 * carry the stamp, and their data was measured when it was accepted. `time` is required here, since windows
 * need it; `subject` is the id where there is none. Boolean and whole-number attributes become their text, as
 * the specification allows.
 */
export function takeCloudEvent(
  value: Readonly<Record<string, unknown>>,
  trusted: boolean,
  problems: Problem[],
): Event {
  if (value['specversion'] !== '1.0') {
    const given = shown(value['specversion']);
    report(problems, '/specversion', 'wrong-format', `is ${given}; only CloudEvents "1.0" is taken`);
  }
  const id = takeText(value['id'], '/id', maxLength.id, problems);
  const subject = value['subject'] ?? undefined;
  const time = takeTime(value['time'], '/time', problems);
  const event: { -readonly [K in keyof Event]: Event[K] } = {
    id,
    source: takeText(value['source'], '/source', maxLength.source, problems),
    type: takeText(value['type'], '/type', maxLength.type, problems),
    time: time.text,
    timeMs: time.ms,
    subject: subject === undefined ? id : takeText(subject, '/subject', maxLength.subject, problems),
    attributes: takeAttributes(value, trusted, problems),
    data: value['data'] ?? null,
  };
  const { dataschema, traceparent } = value;
  if (dataschema !== undefined && dataschema !== null) {
    event.dataschema = takeText(dataschema, '/dataschema', maxLength.dataschema, problems);
  }
  if (traceparent !== undefined && traceparent !== null) {
    event.traceparent = takeTraceparent(traceparent, problems);
  }
  if (!trusted) checkDepth(event.data, '/data', problems);
  return event;
}

/** The time of `value`, or the epoch and an entry in `problems`. */
export function takeTime(value: unknown, pointer: string, problems: Problem[]): Instant {
  if (typeof value === 'string') {
    const time = parseTime(value);
    if (isInstant(time)) return time;
    report(problems, pointer, time.code, `${shown(value)} ${time.problem}`);
  } else {
    const missing = value === undefined || value === null;
    const detail = missing ? 'is missing' : `is ${shown(value)} but must be an RFC 3339 text`;
    report(problems, pointer, missing ? 'missing' : 'wrong-type', detail);
  }
  return { text: '', ms: 0 };
}

export function checkDepth(data: unknown, pointer: string, problems: Problem[]): void {
  if (!isTooDeep(data)) return;
  report(problems, pointer, 'out-of-range', `has more than ${maxDataDepth} levels: make it flatter`);
}

function takeTraceparent(value: unknown, problems: Problem[]): string {
  if (typeof value === 'string' && traceparentFormat.test(value)) return value;
  report(problems, '/traceparent', 'wrong-format', `${shown(value)} is no W3C traceparent: mend or omit it`);
  return '';
}

function takeAttributes(
  value: Readonly<Record<string, unknown>>,
  trusted: boolean,
  problems: Problem[],
): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {};
  let count = 0;
  for (const name of Object.keys(value)) {
    const given = value[name];
    if (reservedNames.has(name) || given === null || (name === 'datacontenttype' && given === jsonType))
      continue;
    const text = takeAttribute(name, given, trusted, problems);
    if (text === undefined) continue;
    attributes[name] = text;
    // An accepted event gets its stamp later, which must not be one too many.
    if (name !== attribute.stamp) count += 1;
  }
  if (count > maxAttributes) {
    report(problems, '', 'too-long', `has ${count} extension attributes; at most ${maxAttributes} are taken`);
  }
  return attributes;
}

function takeAttribute(
  name: string,
  value: unknown,
  trusted: boolean,
  problems: Problem[],
): string | undefined {
  const pointer = pointerTo(name);
  if (!isAttributeName(name)) {
    const detail =
      name === 'data_base64'
        ? 'is binary data, which is not taken: send JSON in data'
        : 'is no attribute name (1 to 20 of a-z and 0-9): put it into data';
    report(problems, pointer, 'wrong-format', detail);
    return undefined;
  }
  if (name === attribute.stamp && !trusted) {
    report(problems, pointer, 'reserved', 'is set by the platform only: leave it out');
    return undefined;
  }
  const scalar = typeof value === 'boolean' || Number.isSafeInteger(value);
  return takeText(scalar ? String(value) : value, pointer, maxLength.attribute, problems);
}
