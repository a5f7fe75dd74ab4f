import { crc32 } from 'node:zlib';

/**
 * Messages of `application/vnd.amazon.eventstream`: total length, length of the headers, check sum of both, headers,
 * payload, check sum of all before it. Every number is 32 bits, big end first.
 * Source: the Smithy specification, "Amazon Event Stream".
 */
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const STRING_HEADER = 7;

export type EventHeaders = readonly (readonly [name: string, value: string])[];

/** Headers are the same for each message of a kind, so they are rendered once. */
export function renderHeaders(headers: EventHeaders): Buffer {
  return Buffer.concat(headers.map(([name, value]) => renderHeader(name, value)));
}

export function renderMessage(headers: Buffer, payload: readonly Uint8Array[]): Buffer {
  const payloadBytes = payload.reduce((sum, part) => sum + part.length, 0);
  const total = PRELUDE_BYTES + headers.length + payloadBytes + CHECKSUM_BYTES;
  const prelude = Buffer.alloc(PRELUDE_BYTES);
  prelude.writeUInt32BE(total, 0);
  prelude.writeUInt32BE(headers.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const message = Buffer.concat([prelude, headers, ...payload, Buffer.alloc(CHECKSUM_BYTES)], total);
  message.writeUInt32BE(crc32(message.subarray(0, total - CHECKSUM_BYTES)), total - CHECKSUM_BYTES);
  return message;
}

export function eventHeaders(eventType: string, contentType = 'application/json'): Buffer {
  return renderHeaders([
    [':event-type', eventType],
    [':content-type', contentType],
    [':message-type', 'event'],
  ]);
}

export function exceptionHeaders(exceptionType: string, contentType = 'application/json'): Buffer {
  return renderHeaders([
    [':exception-type', exceptionType],
    [':content-type', contentType],
    [':message-type', 'exception'],
  ]);
}

function renderHeader(name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name);
  const valueBytes = Buffer.from(value);
  const type = Buffer.from([STRING_HEADER, valueBytes.length >> 8, valueBytes.length & 255]);
  return Buffer.concat([Buffer.from([nameBytes.length]), nameBytes, type, valueBytes]);
}
