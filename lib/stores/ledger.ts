import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Ledger, LedgerEntry, Tally } from '../consumer/events.ts';
import { sendOptions } from './batches.ts';
import { positionKey } from './position-key.ts';

export interface LedgerTable extends Ledger {
  /** Every entry of a consumer, oldest position first within a shard; of one stream, or of one shard of it. */
  readonly list: (
    consumer: string,
    of?: { readonly stream: string; readonly shardId?: string },
    signal?: AbortSignal,
  ) => AsyncIterable<LedgerEntry>;
}

/**
 * Table `ledger`: hash `consumer`, range `entry` = `stream/shard#position`; `tally` (map), `at_ms`, `fence`, `stream`,
 * `shard`, `sequence` and `sub`, which a SHARD_END entry does not have.
 */
export function createLedgerTable(client: DynamoDBDocumentClient, table: string): LedgerTable {
  return {
    put: async (entry, signal) => {
      const put = new PutCommand({
        TableName: table,
        Item: toItem(entry),
        ConditionExpression: 'attribute_not_exists(fence) OR fence <= :fence',
        ExpressionAttributeValues: { ':fence': entry.fence },
      });
      try {
        await client.send(put, sendOptions(signal));
      } catch (error) {
        // A newer owner has been here already: its account of this position stands.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },
    list: async function* (consumer, of, signal) {
      const prefix = of && (of.shardId === undefined ? `${of.stream}/` : `${of.stream}/${of.shardId}#`);
      let from: Record<string, unknown> | undefined;
      do {
        const query = new QueryCommand({
          TableName: table,
          KeyConditionExpression: prefix ? 'consumer = :c AND begins_with(entry, :p)' : 'consumer = :c',
          ExpressionAttributeValues: prefix ? { ':c': consumer, ':p': prefix } : { ':c': consumer },
          ExclusiveStartKey: from,
          ConsistentRead: true,
        });
        const page = await client.send(query, sendOptions(signal));
        for (const item of page.Items ?? []) yield fromItem(item);
        from = page.LastEvaluatedKey;
      } while (from !== undefined);
    },
  };
}

/** Within a shard in the order of positions; digits sort before SHARD_END. */
function entryKey({ shardId, stream, upTo }: LedgerEntry): string {
  return `${stream}/${shardId}#${upTo === 'SHARD_END' ? upTo : positionKey(upTo)}`;
}

function toItem(entry: LedgerEntry): Record<string, unknown> {
  const { atMs, consumer, fence, shardId, stream, tally, upTo } = entry;
  const item = { consumer, entry: entryKey(entry), stream, shard: shardId, tally, at_ms: atMs, fence };
  return upTo === 'SHARD_END'
    ? item
    : { ...item, sequence: upTo.sequenceNumber, sub: upTo.subSequenceNumber };
}

function fromItem(item: Record<string, unknown>): LedgerEntry {
  const { sequence, sub } = item;
  return {
    consumer: String(item['consumer']),
    stream: String(item['stream']),
    shardId: String(item['shard']),
    upTo:
      typeof sequence === 'string'
        ? { sequenceNumber: sequence, subSequenceNumber: Number(sub) }
        : 'SHARD_END',
    tally: item['tally'] as Tally,
    atMs: Number(item['at_ms']),
    fence: Number(item['fence']),
  };
}
