import { PlatformError } from '../runtime/errors.ts';
import {
  type AvroVersion,
  avroEncoder,
  avroVersion,
  avroVersionId,
  decodeAvro,
  headerVersion,
} from './codec-avro.ts';
import { decodeJson, joinJson, restOfJson, undecodable } from './codec-json.ts';
import type { Event } from './event.ts';
import { eventSchemaName, eventSchemaText } from './event-schema.ts';
import type { SchemaRegistry } from './schemas.ts';

/** How events lie on a stream. */
export type Encoding = 'json' | 'avro';

/**
 * Sync where the schema is at hand. Throws or rejects with PlatformError `undecodable`, or as the registry
 * does.
 */
export type Decoder = (bytes: Uint8Array) => Event | Promise<Event>;

/** `stamp` becomes the attribute `weirstamp`, in place of any that the event was read with. */
export type Encoder = (event: Event, stamp?: string) => Uint8Array;

/** Versions kept at hand: a schema has few, and a stream of made-up ids must not fill the memory. */
const maxVersions = 256;
const openBrace = 0x7b;

/** The first byte tells what a record is: `{` JSON, 3 the header of the schema registry. */
export function createDecoder(registry: SchemaRegistry): Decoder {
  const versions = new Map<string, AvroVersion>();
  const asked = new Map<string, Promise<AvroVersion>>();
  const fetch = async (id: string): Promise<AvroVersion> => {
    try {
      const version = avroVersion(await definitionOf(registry, id));
      if (versions.size >= maxVersions) versions.clear();
      versions.set(id, version);
      return version;
    } finally {
      asked.delete(id);
    }
  };
  // A batch of a new version would otherwise ask once per record. A failure is not kept: the next record asks.
  const versionOf = (id: string): Promise<AvroVersion> => {
    const asking = asked.get(id) ?? fetch(id);
    asked.set(id, asking);
    return asking;
  };
  return (bytes) => {
    if (bytes[0] === openBrace) return decodeJson(bytes);
    if (bytes[0] !== headerVersion) throw undecodable(describeStart(bytes));
    const id = avroVersionId(bytes);
    const version = versions.get(id);
    if (version !== undefined) return decodeAvro(bytes, version);
    return versionOf(id).then((fetched) => decodeAvro(bytes, fetched));
  };
}

/** Asks the registry for the id of our schema where the encoding needs one; from then on encoding is sync. */
export async function createEncoder(encoding: Encoding, registry: SchemaRegistry): Promise<Encoder> {
  switch (encoding) {
    case 'json':
      return jsonEncoder();
    case 'avro':
      return avroEncoder(await registry.idOf(eventSchemaName, eventSchemaText));
  }
}

/**
 * A retry and a second target need another stamp only, so the rest of the text is kept as long as the event.
 */
function jsonEncoder(): Encoder {
  const rests = new WeakMap<Event, string>();
  return (event, stamp) => {
    let rest = rests.get(event);
    if (rest === undefined) {
      rest = restOfJson(event);
      rests.set(event, rest);
    }
    return joinJson(rest, stamp);
  };
}

async function definitionOf(registry: SchemaRegistry, id: string): Promise<string> {
  try {
    return await registry.definitionOf(id);
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code !== 'schema-unknown') throw error;
    throw undecodable(`the schema registry has no version ${id}`, error);
  }
}

function describeStart(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'it is empty';
  const hex = Buffer.from(bytes.subarray(0, 4)).toString('hex');
  return `it begins with 0x${hex}, neither JSON ({) nor the header of the schema registry (0x03)`;
}
