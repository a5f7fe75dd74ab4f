import type { Event } from './event.ts';

/** Fields of the envelope that rules may name; any other name is that of an attribute. */
const envelopeFields = ['type', 'source', 'subject'] as const;
type EnvelopeField = (typeof envelopeFields)[number];

/** What a rule sees under `name`; undefined if the event has no such attribute. */
export function fieldOf(event: Event, name: string): string | undefined {
  if (isEnvelopeField(name)) return event[name];
  return Object.hasOwn(event.attributes, name) ? event.attributes[name] : undefined;
}

/** Whether `name` can be one that an event has. */
export function isFieldName(name: string): boolean {
  return isEnvelopeField(name) || /^[a-z0-9]{1,20}$/.test(name);
}

function isEnvelopeField(name: string): name is EnvelopeField {
  return (envelopeFields as readonly string[]).includes(name);
}
