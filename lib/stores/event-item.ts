import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { attribute, type Event } from '../event/event.ts';
import { gzip } from './gzip.ts';
import { timeId } from './time-key.ts';

/** An event as it is kept, with the record that carried it. */
export interface StoredEvent {
  readonly event: Event;
  readonly stream: string;
  readonly shard: string;
  readonly sequence: string;
  readonly arrivedAtMs: number;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** From here `data` is compressed: below, the saved write units (1 KB each) are few. */
const compressFromBytes = 4_096;
/** DynamoDB's item ends at 400 KB; keys and attributes of an event (lib/event/limits.ts) need at most 40 KB. */
const inlineBytesMax = 350_000;

/** An item of the events table; `body` goes to the lake first, when `data` is too large for the item. */
export interface EventItem {
  readonly item: Readonly<Record<string, unknown>>;
  readonly body?: { readonly key: string; readonly bytes: Uint8Array };
}

/**
 * Attributes: `event_id`, `type`, `time`, `time_ms`, `time_id`, `subject`, `source`, `city`, `severity`,
 * `dataschema`, `traceparent`, `attributes` (map), `stream`, `shard`, `sequence`, `arrived_at` (ms), `expires_at`
 * (seconds), and the data as JSON in one of `data` (text), `data_gz` (gzip), `data_key` (object in the lake). The same
 * record always gives the same bytes.
 */
export function toEventItem(stored: StoredEvent): EventItem {
  const { event } = stored;
  const { [attribute.stamp]: _stamp, ...attributes } = event.attributes;
  const data = dataOf(event);
  const item = {
    event_id: event.id,
    type: event.type,
    time: event.time,
    time_ms: event.timeMs,
    time_id: timeId(event),
    subject: event.subject,
    source: event.source,
    ...present({
      city: attributes[attribute.city],
      severity: attributes[attribute.severity],
      dataschema: event.dataschema,
      traceparent: event.traceparent,
    }),
    attributes,
    stream: stored.stream,
    shard: stored.shard,
    sequence: stored.sequence,
    arrived_at: stored.arrivedAtMs,
    expires_at: stored.expiresAt,
    ...data.fields,
  };
  return data.body ? { item, body: data.body } : { item };
}

/** The body object must be given where the item has a `data_key`. */
export function fromEventItem(item: Readonly<Record<string, unknown>>, body?: Uint8Array): StoredEvent {
  const packed = body ?? (item['data_gz'] instanceof Uint8Array ? item['data_gz'] : undefined);
  const json = packed ? gunzipSync(packed).toString() : item['data'];
  const event: Event = {
    id: String(item['event_id']),
    source: String(item['source']),
    type: String(item['type']),
    time: String(item['time']),
    timeMs: Number(item['time_ms']),
    subject: String(item['subject']),
    ...(typeof item['dataschema'] === 'string' ? { dataschema: item['dataschema'] } : {}),
    ...(typeof item['traceparent'] === 'string' ? { traceparent: item['traceparent'] } : {}),
    attributes: item['attributes'] as Readonly<Record<string, string>>,
    data: typeof json === 'string' ? JSON.parse(json) : undefined,
  };
  return {
    event,
    stream: String(item['stream']),
    shard: String(item['shard']),
    sequence: String(item['sequence']),
    arrivedAtMs: Number(item['arrived_at']),
    expiresAt: Number(item['expires_at']),
  };
}

function dataOf(event: Event): {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly body?: { readonly key: string; readonly bytes: Uint8Array };
} {
  if (event.data === undefined) return { fields: {} };
  const json = JSON.stringify(event.data);
  if (json.length < compressFromBytes) return { fields: { data: json } };
  const bytes = gzip(Buffer.from(json));
  if (bytes.length <= inlineBytesMax) return { fields: { data_gz: bytes } };
  const key = `event-data/${createHash('sha256').update(event.id).digest('hex')}.json.gz`;
  return { fields: { data_key: key }, body: { key, bytes } };
}

function present(fields: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const entries = Object.entries(fields).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return Object.fromEntries(entries);
}
