import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { gunzipSync, gzipSync } from 'node:zlib';

/** The item under one Idempotency-Key. `until_ms` is when the item stops counting; TTL removes it some time later. */
export interface IdempotencyItem {
  readonly fingerprint: string;
  readonly untilMs: number;
  readonly answer?: { readonly status: number; readonly body: string };
}

export interface IdempotencyTable {
  /** Writes the item unless one that still counts is there; then that one comes back. */
  readonly claim: (key: string, item: IdempotencyItem, nowMs: number) => Promise<IdempotencyItem | undefined>;
  readonly put: (key: string, item: IdempotencyItem) => Promise<void>;
  /** Deletes the item if it is still the one with this fingerprint. */
  readonly remove: (key: string, fingerprint: string) => Promise<void>;
}

/** Table `idempotency`: hash `key`; `fingerprint`, `until_ms`, `expires_at` (TTL), `status`, `body` (gzip). */
export function createIdempotencyTable(client: DynamoDBDocumentClient, table: string): IdempotencyTable {
  const read = async (key: string): Promise<IdempotencyItem | undefined> => {
    const { Item } = await client.send(
      new GetCommand({ TableName: table, Key: { key }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : fromItem(Item);
  };
  return {
    claim: async (key, item, nowMs) => {
      try {
        await client.send(
          new PutCommand({
            TableName: table,
            Item: toItem(key, item),
            ConditionExpression: 'attribute_not_exists(#key) OR until_ms < :now',
            ExpressionAttributeNames: { '#key': 'key' },
            ExpressionAttributeValues: { ':now': nowMs },
          }),
        );
        return undefined;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        // Gone between the two calls: whoever had it gave it up, and claiming again decides.
        return (await read(key)) ?? { fingerprint: item.fingerprint, untilMs: nowMs };
      }
    },
    put: async (key, item) => {
      await client.send(new PutCommand({ TableName: table, Item: toItem(key, item) }));
    },
    remove: async (key, fingerprint) => {
      try {
        await client.send(
          new DeleteCommand({
            TableName: table,
            Key: { key },
            ConditionExpression: 'fingerprint = :fingerprint',
            ExpressionAttributeValues: { ':fingerprint': fingerprint },
          }),
        );
      } catch (error) {
        // Another request has the key by now; it is not ours to remove.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },
  };
}

function toItem(key: string, item: IdempotencyItem): Record<string, unknown> {
  return {
    key,
    fingerprint: item.fingerprint,
    until_ms: item.untilMs,
    expires_at: Math.ceil(item.untilMs / 1_000),
    ...(item.answer ? { status: item.answer.status, body: gzipSync(item.answer.body) } : {}),
  };
}

function fromItem(item: Record<string, unknown>): IdempotencyItem {
  const base = { fingerprint: String(item['fingerprint']), untilMs: Number(item['until_ms']) };
  const body = item['body'];
  if (!(body instanceof Uint8Array)) return base;
  return { ...base, answer: { status: Number(item['status']), body: gunzipSync(body).toString() } };
}
