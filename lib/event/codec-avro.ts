import { inflateSync } from 'node:zlib';
import avro from 'avsc';
import { messageOf } from '../runtime/errors.ts';
import { undecodable } from './codec-json.ts';
import { attribute, type Event } from './event.ts';
import { eventSchema } from './event-schema.ts';
import { parseEvent } from './envelope.ts';
import { StrictTap } from './strict-tap.ts';

/**
 * The wire format of the AWS Glue Schema Registry (github.com/awslabs/aws-glue-schema-registry, its
 * constants): header version 3, compression (0 none, 5 zlib), the schema version's UUID as 16 bytes, then the
 * Avro body.
 */
export const headerVersion = 3;
const compression = { none: 0, zlib: 5 } as const;
const headerBytes = 18;
/** The largest Kinesis record is 10 MiB; what inflates to more than this was made to hurt. */
const maxInflatedBytes = 32 * 1_024 * 1_024;

interface AvroEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly subject: string;
  readonly dataschema: string | null;
  readonly traceparent: string | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: string;
}

const eventType = avro.Type.forSchema(eventSchema as unknown as avro.Schema);

/** avsc's reader of one version; `_read` is what its fromBuffer calls, with a cursor of its own. */
interface Reader {
  readonly _read: (tap: StrictTap) => unknown;
}

export interface AvroVersion {
  readonly reader: Reader;
}

/**
 * How a version that was written with `definition` is read as our schema. Throws `undecodable` if it cannot
 * be.
 */
export function avroVersion(definition: string): AvroVersion {
  try {
    const writer = avro.Type.forSchema(JSON.parse(definition) as avro.Schema);
    return { reader: eventType.createResolver(writer) as unknown as Reader };
  } catch (error) {
    throw undecodable(`its schema cannot be read as weir.Event (${messageOf(error)})`, error);
  }
}

/** The version id in the header. Throws `undecodable` where the header is not one. */
export function avroVersionId(bytes: Uint8Array): string {
  if (bytes.length < headerBytes) {
    throw undecodable(`it has ${bytes.length} bytes, the header of the schema registry alone ${headerBytes}`);
  }
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + 2, 16).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export function decodeAvro(bytes: Uint8Array, version: AvroVersion): Event {
  const { attributes, data, ...core } = readBody(bodyOf(bytes), version);
  const event = { specversion: '1.0', ...attributes, ...core, data: parseData(data) };
  const result = parseEvent(event, { trusted: true });
  if (result.ok) return result.event;
  const problems = result.problems.map(({ pointer, detail }) => `${pointer || 'the event'} ${detail}`);
  throw undecodable(problems.join('; '));
}

/** A function that frames events with the version `id` of our schema. The stamp replaces the event's own. */
export function avroEncoder(id: string): (event: Event, stamp?: string) => Uint8Array {
  const header = Buffer.concat([
    Buffer.from([headerVersion, compression.none]),
    Buffer.from(id.replaceAll('-', ''), 'hex'),
  ]);
  return (event, stamp) => {
    const { [attribute.stamp]: _, ...extensions } = event.attributes;
    const body: AvroEvent = {
      id: event.id,
      source: event.source,
      type: event.type,
      time: event.time,
      subject: event.subject,
      dataschema: event.dataschema ?? null,
      traceparent: event.traceparent ?? null,
      attributes: stamp === undefined ? extensions : { ...extensions, [attribute.stamp]: stamp },
      data: JSON.stringify(event.data ?? null),
    };
    return Buffer.concat([header, eventType.toBuffer(body)]);
  };
}

function bodyOf(bytes: Uint8Array): Buffer {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset + headerBytes, bytes.length - headerBytes);
  if (bytes[1] === compression.none) return body;
  if (bytes[1] !== compression.zlib) throw undecodable(`its compression byte is ${bytes[1]}, not 0 or 5`);
  try {
    return inflateSync(body, { maxOutputLength: maxInflatedBytes });
  } catch (error) {
    throw undecodable(`its zlib body does not inflate (${messageOf(error)})`, error);
  }
}

function readBody(body: Buffer, version: AvroVersion): AvroEvent {
  const tap = new StrictTap(body);
  try {
    const event = version.reader._read(tap) as AvroEvent;
    if (tap.pos < body.length) throw new RangeError(`${body.length - tap.pos} bytes are left over`);
    return event;
  } catch (error) {
    throw undecodable(`its Avro body does not fit its schema (${messageOf(error)})`, error);
  }
}

function parseData(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (error) {
    throw undecodable(`its data is not valid JSON (${messageOf(error)})`, error);
  }
}
