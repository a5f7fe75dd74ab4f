import { crc32 } from 'node:zlib';

/**
 * Reads `application/vnd.amazon.eventstream`: messages of total length, length of the headers, check sum of both,
 * headers, payload, check sum of all before it; every number has 32 bits, big end first. Source: the Smithy
 * specification, "Amazon Event Stream".
 */
export interface EventMessage {
  /** Those with text; `:message-type`, `:event-type`, `:exception-type` and the like. */
  readonly headers: ReadonlyMap<string, string>;
  /** Of a buffer that nobody else has. */
  readonly payload: Buffer;
}

const lengthBytes = 4;
const preludeBytes = 12;
const checksumBytes = 4;
/** The specification's limit of a payload, and of the headers. */
const messageBytesMax = (16 * 1024 + 128) * 1024 + preludeBytes + checksumBytes;

/** Bytes of the value by the type of a header; text and byte strings say their own. */
const valueBytes: readonly (number | undefined)[] = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];
const textType = 7;

/**
 * The messages in `chunks`, however they are cut. `room` is awaited with the length of each before it is read on.
 * Throws a RangeError where the bytes are no messages, or end half-way.
 */
export async function* readMessages(
  chunks: AsyncIterable<Buffer>,
  room?: (bytes: number) => Promise<void>,
): AsyncGenerator<EventMessage> {
  const length = Buffer.alloc(lengthBytes);
  let message = length;
  let used = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const copied = chunk.copy(message, used, at);
      at += copied;
      used += copied;
      if (used < message.length) break;
      if (message === length) {
        const bytes = checkedLength(length.readUInt32BE(0));
        await room?.(bytes);
        message = Buffer.allocUnsafeSlow(bytes);
        length.copy(message);
      } else {
        yield parseMessage(message);
        message = length;
        used = 0;
      }
    }
  }
  if (used > 0) throw new RangeError('The event stream ended inside of a message');
}

function checkedLength(bytes: number): number {
  if (bytes >= preludeBytes + checksumBytes && bytes <= messageBytesMax) return bytes;
  throw new RangeError(`No event stream: a message of ${bytes} bytes`);
}

function parseMessage(message: Buffer): EventMessage {
  const end = message.length - checksumBytes;
  const headersEnd = preludeBytes + message.readUInt32BE(lengthBytes);
  // The prelude's own check sum is covered by this one, and the length was already relied on.
  if (crc32(message.subarray(0, end)) !== message.readUInt32BE(end) || headersEnd > end)
    throw new RangeError('A message of the event stream is damaged');
  return {
    headers: parseHeaders(message.subarray(preludeBytes, headersEnd)),
    payload: message.subarray(headersEnd, end),
  };
}

function parseHeaders(bytes: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    const name = bytes.toString('utf8', at + 1, nameEnd);
    const type = bytes.readUInt8(nameEnd);
    const fixed = valueBytes[type];
    const start = nameEnd + 1 + (fixed === undefined ? 2 : 0);
    const end = start + (fixed ?? bytes.readUInt16BE(nameEnd + 1));
    if (type === textType) headers.set(name, bytes.toString('utf8', start, end));
    at = end;
  }
  return headers;
}
