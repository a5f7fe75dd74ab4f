import { attribute, eventSubtypeOf, eventTypeOf } from '../../lib/event/event.ts';
import type { StoredEvent } from '../../lib/stores/event-item.ts';

/** A stored event as the API shows it: the CloudEvent, its derived fields, and under `record` where it lay. */
export function presentEvent(stored: StoredEvent): Record<string, unknown> {
  const { event } = stored;
  const { [attribute.stamp]: _stamp, ...attributes } = event.attributes;
  return {
    specversion: '1.0',
    id: event.id,
    source: event.source,
    type: event.type,
    time: event.time,
    subject: event.subject,
    ...(event.dataschema === undefined ? {} : { dataschema: event.dataschema }),
    ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
    ...attributes,
    data: event.data,
    event_type: eventTypeOf(event),
    event_subtype: eventSubtypeOf(event),
    record: {
      stream: stored.stream,
      shard: stored.shard,
      sequence_number: stored.sequence,
      arrived_at: new Date(stored.arrivedAtMs).toISOString(),
    },
  };
}
