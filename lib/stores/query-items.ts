import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { type Item, sendOptions, type TablePort } from './batches.ts';

/** Items of one hash key whose range key lies between `low` and `high`, both inclusive. */
export interface KeyRange {
  /** Name and value of the hash key. */
  readonly hash: readonly [name: string, value: string];
  /** Name of the range key. */
  readonly range: string;
  readonly low: string;
  readonly high: string;
  readonly descending?: boolean;
}

/** Consistent, page by page: stop the loop and no further page is read. */
export async function* queryItems(
  port: TablePort,
  keys: KeyRange,
  signal?: AbortSignal,
): AsyncGenerator<Item> {
  const { hash, range, low, high } = keys;
  // DynamoDB refuses a range whose ends are the wrong way round.
  if (low > high) return;
  let startKey: Item | undefined;
  do {
    const page = await port.client.send(
      new QueryCommand({
        TableName: port.table,
        ConsistentRead: true,
        ScanIndexForward: keys.descending !== true,
        KeyConditionExpression: '#hash = :hash AND #range BETWEEN :low AND :high',
        ExpressionAttributeNames: { '#hash': hash[0], '#range': range },
        ExpressionAttributeValues: { ':hash': hash[1], ':low': low, ':high': high },
        ...(startKey ? { ExclusiveStartKey: startKey } : {}),
      }),
      sendOptions(signal),
    );
    yield* page.Items ?? [];
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
}

export async function allItems(
  port: TablePort,
  keys: KeyRange,
  signal?: AbortSignal,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const item of queryItems(port, keys, signal)) items.push(item);
  return items;
}
