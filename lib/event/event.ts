/**
 * An event in memory. On the wire it is a CloudEvents 1.0 object: `attributes` are its extension attributes
 * (lower-case letters and digits, at most 20 characters, text values: the headers that routing rules match).
 */
export interface Event {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** Event time as given: RFC 3339, UTC, up to nanoseconds. */
  readonly time: string;
  /** Event time in milliseconds since the epoch, rounded down. */
  readonly timeMs: number;
  /** The default partition key. */
  readonly subject: string;
  readonly dataschema?: string;
  readonly traceparent?: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: unknown;
}

/** Extension attributes that the platform itself gives a meaning to. */
export const attribute = {
  /** The kind of data: city, product, user, technical. Routing rules decide what it is used for. */
  kind: 'kind',
  city: 'city',
  severity: 'severity',
  /** Overrides the event type that the archive partitions by (default: the first part of `type`). */
  eventType: 'eventtype',
  /** `source;position;floor[;after]`, set by our own writers only (lib/streams/stamp.ts). */
  stamp: 'weirstamp',
} as const;

/** `account:created` → `account`; the `eventtype` attribute wins where a mapping or a client set it. */
export function eventTypeOf(event: Event): string {
  return event.attributes[attribute.eventType] ?? firstPart(event.type);
}

/** The second part of a named event's type, null where there is none: `payment:order:completed` → `order`. */
export function eventSubtypeOf(event: Event): string | null {
  return event.type.split(':')[1] ?? null;
}

function firstPart(type: string): string {
  const end = type.indexOf(':');
  return end < 0 ? type : type.slice(0, end);
}
