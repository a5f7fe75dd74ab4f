import { isUtf8 } from 'node:buffer';
import { PlatformError, messageOf } from '../runtime/errors.ts';
import { parseEvent } from './envelope.ts';
import { attribute, type Event } from './event.ts';

const opening = '{"specversion":"1.0"';

/**
 * Bytes of structured CloudEvents JSON → event. The other families are taken too, for producers that put
 * straight onto a stream. Throws PlatformError `undecodable`, with every problem in its message.
 */
export function decodeJson(bytes: Uint8Array): Event {
  const result = parseEvent(parseJson(bytes), { trusted: true });
  if (result.ok) return result.event;
  const problems = result.problems.map(({ pointer, detail }) => `${pointer || 'the event'} ${detail}`);
  throw undecodable(problems.join('; '));
}

/** The JSON text of an event without its opening, so that a stamp can be put between the two. */
export function restOfJson(event: Event): string {
  const { id, source, type, time, subject, dataschema, traceparent, attributes, data } = event;
  const { [attribute.stamp]: _, ...extensions } = attributes;
  const fields = { id, source, type, time, subject, dataschema, traceparent, ...extensions, data };
  return `,${JSON.stringify(fields).slice(1)}`;
}

/** `stamp` replaces whatever stamp the event was read with; without one the event has none. */
export function encodeJson(event: Event, stamp?: string): Uint8Array {
  return joinJson(restOfJson(event), stamp);
}

export function joinJson(rest: string, stamp?: string): Uint8Array {
  const mark = stamp === undefined ? '' : `,"${attribute.stamp}":${JSON.stringify(stamp)}`;
  return Buffer.from(opening + mark + rest);
}

export function undecodable(detail: string, cause?: unknown): PlatformError {
  return new PlatformError('undecodable', `The record is not an event: ${detail}`, { cause });
}

function parseJson(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) throw undecodable('its bytes are not valid UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw undecodable(`it is not valid JSON (${messageOf(error)})`, error);
  }
}
