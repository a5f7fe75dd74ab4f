import type { EventRecord } from '../../lib/consumer/events.ts';
import { encodeJson } from '../../lib/event/codec-json.ts';
import { type Event, eventSubtypeOf, eventTypeOf } from '../../lib/event/event.ts';
import type { Partition } from '../../lib/stores/archive-layout.ts';
import { idDigest } from '../../lib/stores/id-digest.ts';
import type { Position } from '../../lib/stores/position-key.ts';

/** An event as it lies in the archive. */
export interface ArchiveLine {
  readonly partition: Partition;
  readonly position: Position;
  /** JSON text and a line feed. */
  readonly bytes: Uint8Array;
  readonly digest: bigint;
}

const closingBrace = 1;

/** The event as CloudEvents JSON without its stamp, and the three fields that queries ask for. */
export function lineOf({ event, record }: EventRecord): ArchiveLine {
  const eventType = eventTypeOf(event);
  const enriched = {
    created_datetime: createdDatetime(event),
    event_type: eventType,
    event_subtype: eventSubtypeOf(event),
  };
  const json = encodeJson(event);
  const rest = `,${JSON.stringify(enriched).slice(1)}\n`;
  const date = new Date(record.arrivedAtMs).toISOString().slice(0, 10);
  return {
    partition: { eventType, date },
    position: record.position,
    bytes: Buffer.concat([json.subarray(0, json.length - closingBrace), Buffer.from(rest)]),
    digest: idDigest(event.id),
  };
}

/** ISO 8601 with `Z` and the digits that were given. */
function createdDatetime({ time, timeMs }: Event): string {
  return time.endsWith('Z') ? time : new Date(timeMs).toISOString();
}
