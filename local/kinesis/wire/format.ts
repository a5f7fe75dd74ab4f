import { cbor, tag } from '@smithy/core/cbor';
import { messageOf } from '../../../lib/runtime/errors.ts';
import { ServiceError } from '../errors.ts';

/** How requests and answers are written. Inside, and in the log of a shard, everything is JSON. */
export interface Format {
  readonly contentType: string;
  /** Throws SerializationException. */
  readonly parse: (body: Buffer) => unknown;
  /** Of a JSON document, in parts. */
  readonly render: (json: string | readonly Uint8Array[]) => string | readonly Uint8Array[];
}

export const jsonFormat: Format = {
  contentType: 'application/x-amz-json-1.1',
  parse: (body) => JSON.parse(body.toString()),
  render: (json) => json,
};

/**
 * What the SDK for Java speaks unless `aws.cborEnabled` is false: the same document with bytes as bytes, and times as
 * milliseconds under tag 1 (AWS SDK for Java 2, aws-cbor-protocol).
 */
const cborFormat: Format = {
  contentType: 'application/x-amz-cbor-1.1',
  parse: (body) => toJson(cbor.deserialize(body)),
  // The answer to a call without output is empty.
  render: (json) => (json === '' ? json : [cbor.serialize(JSON.parse(textOf(json), toCbor))]),
};

export function formatOf(contentType: string | undefined): Format {
  return contentType?.includes('cbor') === true ? cborFormat : jsonFormat;
}

/** The input of a call; one without a body is one without members. */
export function parseInput(format: Format, body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return format.parse(body);
  } catch (error) {
    const name = format === jsonFormat ? 'JSON' : 'CBOR';
    throw new ServiceError('SerializationException', `The request is not ${name}: ${messageOf(error)}`);
  }
}

function textOf(json: string | readonly Uint8Array[]): string {
  return typeof json === 'string' ? json : Buffer.concat(json).toString();
}

/** By their names, as in JSON they look like any text and number; all times of answers end alike. */
function toCbor(name: string, value: unknown): unknown {
  if (name === 'Data' && typeof value === 'string') return Buffer.from(value, 'base64');
  if (name.endsWith('Timestamp') && typeof value === 'number')
    return tag({ tag: 1, value: Math.round(value * 1_000) });
  return value;
}

function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value;
  if ('tag' in value && 'value' in value) return Number(value.value) / 1_000;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toJson(member)]));
}
