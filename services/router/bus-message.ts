import { encodeJson } from '../../lib/event/codec-json.ts';
import type { Event } from '../../lib/event/event.ts';
import { attributeBytesMax, type BusMessage, messageBytesMax } from '../../lib/stores/bus.ts';

/**
 * The event as CloudEvents JSON. One that no message can hold goes without its data and with `dataref` (the CloudEvents
 * claim check) instead: the event store has the whole under its id.
 */
export function busMessage(event: Event): BusMessage {
  const whole = encodeJson(event);
  const fits = whole.length <= messageBytesMax - attributeBytesMax;
  return { id: event.id, kind: 'event', type: event.type, body: text(fits ? whole : withoutData(event)) };
}

function withoutData(event: Event): Uint8Array {
  const dataref = `/v1/events/${encodeURIComponent(event.id)}`;
  return encodeJson({ ...event, data: undefined, attributes: { ...event.attributes, dataref } });
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
