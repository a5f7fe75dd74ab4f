import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { type Item, sendOptions, type TablePort } from './batches.ts';
import { allItems } from './query-items.ts';
import { lastTimeMs } from './time-key.ts';
import { allWatermarks, fromWatermarkItem, passedKey, type ShardWatermark } from './window-items.ts';

export interface Watermarks {
  readonly shards: readonly ShardWatermark[];
  /** So far event time had come in every live shard when one of the workers looked. It never goes back. */
  readonly passedMs: number;
}

export async function readWatermarks(port: TablePort, signal?: AbortSignal): Promise<Watermarks> {
  const items = await allItems(port, allWatermarks, signal);
  const passed = items.find(({ sk }) => sk === passedKey.sk);
  return {
    shards: items.filter((item) => item !== passed).map(fromWatermarkItem),
    passedMs: passed === undefined ? Number.NEGATIVE_INFINITY : Number(passed['reached']),
  };
}

export async function savePassed(port: TablePort, passedMs: number, signal?: AbortSignal): Promise<void> {
  // No number in DynamoDB is infinite, which is how far shards have come that have all ended.
  const reached = Math.min(passedMs, lastTimeMs);
  const condition = {
    ConditionExpression: 'attribute_not_exists(pk) OR reached < :reached',
    ExpressionAttributeValues: { ':reached': reached },
  };
  // Not written: another worker has seen as much or more.
  await putUnless(port, { ...passedKey, reached }, condition, signal);
}

export interface Condition {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeValues?: Record<string, unknown>;
}

/** False when the condition was not met. */
export async function putUnless(
  port: TablePort,
  item: Item,
  condition: Condition,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    const command = new PutCommand({ TableName: port.table, Item: { ...item }, ...condition });
    await port.client.send(command, sendOptions(signal));
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
