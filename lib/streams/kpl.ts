import { createHash } from 'node:crypto';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { PlatformError } from '../runtime/errors.ts';
import type { RawRecord } from './kinesis.ts';

/**
 * The Kinesis Producer Library's aggregation format (aggregation-format.md in awslabs/amazon-kinesis-producer): four
 * magic bytes, a protobuf message, the MD5 of that message. The message:
 *
 *     AggregatedRecord { repeated string partition_key_table = 1; repeated string explicit_hash_key_table = 2;
 *                        repeated Record records = 3; }
 *     Record { uint64 partition_key_index = 1; optional uint64 explicit_hash_key_index = 2; bytes data = 3;
 *              repeated Tag tags = 4; }
 *
 * Tags are read over, as the Java client does.
 */
const magic = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2);
const digestBytes = 16;

/** What a producer put, before the library packed it with others. */
export interface UserRecord {
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  readonly data: Uint8Array;
  /** Place in the aggregate, from 0; 0 for a record that is none. */
  readonly subSequenceNumber: number;
}

/**
 * The user records of a Kinesis record, views of its bytes. What is not a sound aggregate (no magic, a digest that
 * does not fit, a message that cannot be read) is one plain user record whose `data` is the very array given.
 */
export function deaggregate(record: RawRecord): readonly UserRecord[] {
  const plain = { partitionKey: record.partitionKey, data: record.data, subSequenceNumber: 0 };
  const message = messageIn(record.data);
  return (message && readMessage(message)) ?? [plain];
}

/** The data of one Kinesis record that carries all of these, in order; throws `empty-aggregate` without any. */
export function aggregate(records: readonly Omit<UserRecord, 'subSequenceNumber'>[]): Uint8Array {
  if (records.length === 0)
    throw new PlatformError('empty-aggregate', 'An aggregate has at least one record');
  const partitionKeys = new KeyTable();
  const hashKeys = new KeyTable();
  const body = new BinaryWriter();
  for (const { partitionKey, explicitHashKey, data } of records) {
    body.tag(3, WireType.LengthDelimited).fork();
    body.tag(1, WireType.Varint).uint64(partitionKeys.indexOf(partitionKey));
    if (explicitHashKey !== undefined) body.tag(2, WireType.Varint).uint64(hashKeys.indexOf(explicitHashKey));
    body.tag(3, WireType.LengthDelimited).bytes(data).join();
  }
  const tables = new BinaryWriter();
  for (const key of partitionKeys.keys) tables.tag(1, WireType.LengthDelimited).string(key);
  for (const key of hashKeys.keys) tables.tag(2, WireType.LengthDelimited).string(key);
  const message = tables.raw(body.finish()).finish();
  return Buffer.concat([magic, message, md5(message)]);
}

class KeyTable {
  readonly #indexes = new Map<string, number>();

  get keys(): Iterable<string> {
    return this.#indexes.keys();
  }

  indexOf(key: string): number {
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#indexes.set(key, this.#indexes.size);
    return this.#indexes.size - 1;
  }
}

function messageIn(data: Uint8Array): Uint8Array | undefined {
  if (data.length <= magic.length + digestBytes) return undefined;
  if (magic.some((byte, index) => data[index] !== byte)) return undefined;
  const message = data.subarray(magic.length, data.length - digestBytes);
  return md5(message).equals(data.subarray(data.length - digestBytes)) ? message : undefined;
}

interface PackedRecord {
  readonly partitionKeyIndex: number;
  readonly hashKeyIndex: number | undefined;
  readonly data: Uint8Array;
}

function readMessage(message: Uint8Array): readonly UserRecord[] | undefined {
  const partitionKeys: string[] = [];
  const hashKeys: string[] = [];
  const packed: PackedRecord[] = [];
  try {
    const reader = new BinaryReader(message);
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === 1) partitionKeys.push(reader.string(true));
      else if (field === 2) hashKeys.push(reader.string(true));
      else if (field === 3) packed.push(readRecord(reader));
      else reader.skip(type);
    }
  } catch {
    // The digest fits, so nothing was damaged: the bytes are some other format, to be handed on as they are.
    return undefined;
  }
  return resolveKeys(packed, partitionKeys, hashKeys);
}

function readRecord(reader: BinaryReader): PackedRecord {
  const end = reader.uint32() + reader.pos;
  let partitionKeyIndex = -1;
  let hashKeyIndex: number | undefined;
  let data: Uint8Array | undefined;
  while (reader.pos < end) {
    const [field, type] = reader.tag();
    if (field === 1) partitionKeyIndex = Number(reader.uint64());
    else if (field === 2) hashKeyIndex = Number(reader.uint64());
    else if (field === 3) data = reader.bytes();
    else reader.skip(type);
  }
  if (data === undefined || reader.pos !== end) throw new RangeError('not a record of an aggregate');
  return { partitionKeyIndex, hashKeyIndex, data };
}

/** The tables may follow the records that point into them; undefined where an index points nowhere. */
function resolveKeys(
  packed: readonly PackedRecord[],
  partitionKeys: readonly string[],
  hashKeys: readonly string[],
): readonly UserRecord[] | undefined {
  const users: UserRecord[] = [];
  for (const { partitionKeyIndex, hashKeyIndex, data } of packed) {
    const partitionKey = partitionKeys[partitionKeyIndex];
    const explicitHashKey = hashKeyIndex === undefined ? undefined : hashKeys[hashKeyIndex];
    const lost = hashKeyIndex !== undefined && explicitHashKey === undefined;
    if (partitionKey === undefined || lost) return undefined;
    const subSequenceNumber = users.length;
    users.push({
      partitionKey,
      data,
      subSequenceNumber,
      ...(explicitHashKey !== undefined && { explicitHashKey }),
    });
  }
  return users;
}

function md5(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}
