import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import type { DeadLetter, DeadLetters } from '../consumer/dead-letters.ts';
import type { Clock } from '../runtime/clock.ts';
import { PlatformError } from '../runtime/errors.ts';
import { sendOptions } from './batches.ts';
import type { Objects } from './objects.ts';
import { positionKey } from './position-key.ts';

/** An item may have 400 KB with all its attributes; what is larger goes to the lake. */
const inlineBytesMax = 256 * 1024;
/** The error is for people: a stack of megabytes would not fit the item. */
const errorCharsMax = 4_000;

/** Where a dead letter lies: `position` is `stream/shard/` and the record's place (position-key.ts). */
export interface DeadLetterKey {
  readonly consumer: string;
  readonly position: string;
}

export interface StoredDeadLetter extends Omit<DeadLetter, 'data'> {
  readonly key: DeadLetterKey;
  readonly bytes: number;
  /** When it was put last, wall clock. */
  readonly setAsideAtMs: number;
}

export interface DeadLetterTable extends DeadLetters {
  /** Without the bodies, at most `limit`, in the order of stream, shard and position; `after` a position. */
  readonly list: (
    consumer: string,
    options: { readonly limit: number; readonly after?: string; readonly stream?: string },
    signal?: AbortSignal,
  ) => Promise<{ readonly letters: readonly StoredDeadLetter[]; readonly next: string | undefined }>;
  readonly get: (key: DeadLetterKey, signal?: AbortSignal) => Promise<DeadLetter | undefined>;
  /** After its redrive. A body in the lake stays there, as evidence, for as long as the bucket's rules say. */
  readonly delete: (key: DeadLetterKey, signal?: AbortSignal) => Promise<void>;
}

export interface DeadLetterPorts {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** The lake bucket. */
  readonly lake: Objects;
  readonly clock: Clock;
}

/**
 * Table `dead-letters`: hash `consumer`, range `position`; `stream`, `shard`, `sequence`, `sub`, `partition_key`,
 * `arrived_ms`, `reason`, `error`, `tries`, `set_aside_ms`, `bytes`, and `body` or, in the lake bucket, `body_key`.
 */
export function createDeadLetterTable(ports: DeadLetterPorts): DeadLetterTable {
  return {
    put: (letter, signal) => put(ports, letter, signal),
    list: (consumer, options, signal) => list(ports, consumer, options, signal),
    get: (key, signal) => get(ports, key, signal),
    delete: (key, signal) => remove(ports, key, signal),
  };
}

export function deadLetterKey(
  letter: Pick<DeadLetter, 'consumer' | 'stream' | 'shardId' | 'sequenceNumber' | 'subSequenceNumber'>,
): DeadLetterKey {
  const { consumer, shardId, stream } = letter;
  return { consumer, position: `${stream}/${shardId}/${positionKey(letter)}` };
}

async function put(ports: DeadLetterPorts, letter: DeadLetter, signal?: AbortSignal): Promise<void> {
  const key = deadLetterKey(letter);
  const isLarge = letter.data.length > inlineBytesMax;
  const body = isLarge ? { body_key: bodyKey(key) } : { body: letter.data };
  // The body first: an item never names an object that is not there.
  if (isLarge) {
    const object = { key: bodyKey(key), bytes: letter.data, contentType: 'application/octet-stream' };
    await ports.lake.put(object, signal);
  }
  const Item = { ...key, ...describe(letter), set_aside_ms: ports.clock.now(), ...body };
  await ports.client.send(new PutCommand({ TableName: ports.table, Item }), sendOptions(signal));
}

/** All but the body. Each goes by a placeholder, as many of them are words that DynamoDB reserves. */
const listed =
  'consumer position stream shard sequence sub partition_key arrived_ms reason error tries set_aside_ms bytes'.split(
    ' ',
  );

async function list(
  ports: DeadLetterPorts,
  consumer: string,
  options: { readonly limit: number; readonly after?: string; readonly stream?: string },
  signal?: AbortSignal,
): ReturnType<DeadLetterTable['list']> {
  const query = new QueryCommand({
    TableName: ports.table,
    KeyConditionExpression: options.stream
      ? '#consumer = :consumer AND begins_with(#position, :stream)'
      : '#consumer = :consumer',
    ExpressionAttributeNames: Object.fromEntries(listed.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: {
      ':consumer': consumer,
      ...(options.stream ? { ':stream': `${options.stream}/` } : {}),
    },
    ProjectionExpression: listed.map((name) => `#${name}`).join(', '),
    ExclusiveStartKey: options.after === undefined ? undefined : { consumer, position: options.after },
    Limit: options.limit,
    ConsistentRead: true,
  });
  const page = await ports.client.send(query, sendOptions(signal));
  const next: unknown = page.LastEvaluatedKey?.['position'];
  return {
    letters: (page.Items ?? []).map(fromItem),
    next: typeof next === 'string' ? next : undefined,
  };
}

async function get(
  ports: DeadLetterPorts,
  key: DeadLetterKey,
  signal?: AbortSignal,
): Promise<DeadLetter | undefined> {
  const Key = { ...key };
  const read = new GetCommand({ TableName: ports.table, Key, ConsistentRead: true });
  const { Item } = await ports.client.send(read, sendOptions(signal));
  if (Item === undefined) return undefined;
  const { bytes: _bytes, key: _key, setAsideAtMs: _setAsideAtMs, ...letter } = fromItem(Item);
  return { ...letter, data: await bodyOf(ports, Item, signal) };
}

async function bodyOf(
  ports: DeadLetterPorts,
  item: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const inline = item['body'];
  if (inline instanceof Uint8Array) return inline;
  const at = String(item['body_key']);
  const body = await ports.lake.get(at, signal);
  if (body) return body;
  throw new PlatformError('body-missing', `The lake has no object ${at}, which is the body of a dead letter`);
}

async function remove(ports: DeadLetterPorts, key: DeadLetterKey, signal?: AbortSignal): Promise<void> {
  const Key = { ...key };
  await ports.client.send(new DeleteCommand({ TableName: ports.table, Key }), sendOptions(signal));
}

function bodyKey(key: DeadLetterKey): string {
  return `dead-letters/${key.consumer}/${key.position}`;
}

function describe(letter: DeadLetter): Record<string, unknown> {
  return {
    stream: letter.stream,
    shard: letter.shardId,
    sequence: letter.sequenceNumber,
    sub: letter.subSequenceNumber,
    partition_key: letter.partitionKey,
    arrived_ms: letter.arrivedAtMs,
    reason: letter.reason,
    error: letter.error.slice(0, errorCharsMax),
    tries: letter.tries,
    bytes: letter.data.length,
  };
}

function fromItem(item: Record<string, unknown>): StoredDeadLetter {
  const text = (name: string): string => String(item[name]);
  const number = (name: string): number => Number(item[name]);
  return {
    key: { consumer: text('consumer'), position: text('position') },
    consumer: text('consumer'),
    stream: text('stream'),
    shardId: text('shard'),
    sequenceNumber: text('sequence'),
    subSequenceNumber: number('sub'),
    partitionKey: text('partition_key'),
    arrivedAtMs: number('arrived_ms'),
    reason: text('reason'),
    error: text('error'),
    tries: number('tries'),
    bytes: number('bytes'),
    setAsideAtMs: number('set_aside_ms'),
  };
}
