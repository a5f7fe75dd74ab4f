import { checkDepth, takeTime } from './cloud-event.ts';
import { attribute, type Event } from './event.ts';
import { maxLength, takeText } from './limits.ts';
import { pointerTo, type Problem, report, shown } from './problem.ts';
import { type Instant, isInstant, timeOfUnixSeconds } from './time.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One shape of event that users come with, besides CloudEvents. */
export interface Family {
  readonly name: string;
  /** What its events must have; the first one is the id, whose name no other family uses. */
  readonly required: readonly [string, ...string[]];
  readonly take: (fields: Fields, source: string | undefined, problems: Problem[]) => Event;
}

export const severities: readonly string[] = ['low', 'medium', 'high', 'critical'];

const cityEvents: Family = {
  name: 'city event',
  required: ['event_id', 'timestamp', 'city', 'event_type', 'severity'],
  take: (fields, source, problems) => {
    const { event_id, timestamp, city, event_type, severity, ...rest } = fields;
    const time = takeTime(timestamp, '/timestamp', problems);
    const cityName = takeText(city, '/city', maxLength.attribute, problems);
    const type = takeText(event_type, '/event_type', maxLength.attribute, problems);
    return {
      id: takeText(event_id, '/event_id', maxLength.id, problems),
      source: source ?? '/city-events',
      type,
      time: time.text,
      timeMs: time.ms,
      subject: cityName,
      attributes: {
        [attribute.kind]: 'city',
        [attribute.city]: cityName,
        [attribute.severity]: takeSeverity(severity, problems),
        [attribute.eventType]: type,
      },
      data: rest,
    };
  },
};

const namedEvents: Family = {
  name: 'named event',
  required: ['event_uuid', 'event_name', 'created_at'],
  take: (fields, source, problems) => {
    const { event_uuid, event_name, created_at, ...rest } = fields;
    const time = takeUnixSeconds(created_at, '/created_at', problems);
    const id = takeText(event_uuid, '/event_uuid', maxLength.id, problems);
    return {
      id,
      source: source ?? '/named-events',
      type: takeEventName(event_name, problems),
      time: time.text,
      timeMs: time.ms,
      subject: id,
      attributes: { [attribute.kind]: 'product' },
      data: rest,
    };
  },
};

const userEvents: Family = {
  name: 'user event',
  required: ['eventId', 'eventType', 'userId', 'timestamp'],
  take: (fields, source, problems) => {
    const { eventId, eventType, userId, timestamp, data, ...rest } = fields;
    const time = takeTime(timestamp, '/timestamp', problems);
    return {
      id: takeText(eventId, '/eventId', maxLength.id, problems),
      source: source ?? '/user-events',
      type: takeText(eventType, '/eventType', maxLength.type, problems),
      time: time.text,
      timeMs: time.ms,
      subject: takeText(userId, '/userId', maxLength.subject, problems),
      attributes: { [attribute.kind]: 'user' },
      data: joinData(data ?? {}, rest, problems),
    };
  },
};

export const families: readonly Family[] = [cityEvents, namedEvents, userEvents];

/** The event of one family. Fields that the family does not know are kept in `data`. */
export function takeFamily(
  family: Family,
  fields: Fields,
  source: string | undefined,
  problems: Problem[],
): Event {
  const event = family.take(fields, source, problems);
  checkDepth(event.data, '', problems);
  return event;
}

function takeSeverity(value: unknown, problems: Problem[]): string {
  if (typeof value === 'string' && severities.includes(value)) return value;
  const missing = value === undefined || value === null;
  const detail = missing ? 'is missing' : `is ${shown(value)} but must be one of ${severities.join(', ')}`;
  report(problems, '/severity', missing ? 'missing' : 'out-of-range', detail);
  return '';
}

/** The parts between colons become partitions of the archive, so none may be empty. */
function takeEventName(value: unknown, problems: Problem[]): string {
  const name = takeText(value, '/event_name', maxLength.type, problems);
  if (name === '' || name.split(':').every((part) => part !== '')) return name;
  const detail = `${shown(name)} has an empty part: write it like account:created`;
  report(problems, '/event_name', 'wrong-format', detail);
  return '';
}

function takeUnixSeconds(value: unknown, pointer: string, problems: Problem[]): Instant {
  if (typeof value === 'number') {
    const time = timeOfUnixSeconds(value);
    if (isInstant(time)) return time;
    report(problems, pointer, time.code, `${shown(value)} ${time.problem}`);
  } else {
    const missing = value === undefined || value === null;
    const detail = missing ? 'is missing' : `is ${shown(value)} but must be Unix seconds, a number`;
    report(problems, pointer, missing ? 'missing' : 'wrong-type', detail);
  }
  return { text: '', ms: 0 };
}

/** Fields beside `data` go into it; one that is there too cannot be kept and is a problem. */
function joinData(data: unknown, beside: Fields, problems: Problem[]): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    report(problems, '/data', 'wrong-type', `is ${shown(data)} but must be an object`);
    return null;
  }
  for (const name of Object.keys(beside)) {
    if (!Object.hasOwn(data, name)) continue;
    report(problems, pointerTo(name), 'conflict', 'stands beside data and in it: rename one of the two');
  }
  return { ...data, ...beside };
}
