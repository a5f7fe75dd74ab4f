import { BatchGetCommand, BatchWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../runtime/clock.ts';
import { PlatformError } from '../runtime/errors.ts';
import { type Backoff, retry } from '../runtime/retry.ts';
import { inChunks, inFlight } from './in-flight.ts';

export type Item = Readonly<Record<string, unknown>>;

/** The service's limits: 25 items per BatchWriteItem, 100 keys per BatchGetItem. */
const writeItemsMax = 25;
const readKeysMax = 100;
/** Enough to use a table's throughput over one connection pool (50 sockets) shared by several shards. */
const callsInFlightMax = 4;
/** Unprocessed items mean throttling: about 20 s in all, then the caller's own retry decides. */
const backoff: Backoff = { firstMs: 50, maxMs: 5_000, tries: 10 };

export interface TablePort {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly clock: Clock;
}

class Unprocessed extends PlatformError {
  constructor(table: string, count: number) {
    super('table-throttled', `Table ${table} left ${count} items unprocessed: raise its capacity`, {
      retryable: true,
    });
  }
}

/**
 * Puts every item, in no order: the keys must differ. Unprocessed items are sent again.
 * @throws PlatformError `table-throttled` when some stay unprocessed; others may have been written.
 */
export async function putItems(port: TablePort, items: readonly Item[], signal?: AbortSignal): Promise<void> {
  await inFlight(inChunks(items, writeItemsMax), callsInFlightMax, async (chunk) => {
    let left: readonly Item[] = chunk;
    const write = async (): Promise<void> => {
      const RequestItems = { [port.table]: left.map((item) => ({ PutRequest: { Item: item } })) };
      const answer = await port.client.send(new BatchWriteCommand({ RequestItems }), sendOptions(signal));
      left = (answer.UnprocessedItems?.[port.table] ?? []).flatMap(
        ({ PutRequest }) => PutRequest?.Item ?? [],
      );
      if (left.length > 0) throw new Unprocessed(port.table, left.length);
    };
    await retryUnprocessed(port, write, signal);
  });
}

/** The items that exist under `keys`, in no order. */
export async function getItems(
  port: TablePort,
  keys: readonly Item[],
  options: { readonly consistent: boolean; readonly signal?: AbortSignal },
): Promise<readonly Item[]> {
  const found: Item[] = [];
  await inFlight(inChunks(keys, readKeysMax), callsInFlightMax, async (chunk) => {
    let left: readonly Item[] = chunk;
    const read = async (): Promise<void> => {
      const Keys = left.map((key) => ({ ...key }));
      const RequestItems = { [port.table]: { Keys, ConsistentRead: options.consistent } };
      const answer = await port.client.send(
        new BatchGetCommand({ RequestItems }),
        sendOptions(options.signal),
      );
      found.push(...(answer.Responses?.[port.table] ?? []));
      left = answer.UnprocessedKeys?.[port.table]?.Keys ?? [];
      if (left.length > 0) throw new Unprocessed(port.table, left.length);
    };
    await retryUnprocessed(port, read, options.signal);
  });
  return found;
}

export function sendOptions(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal ? { abortSignal: signal } : {};
}

function retryUnprocessed(port: TablePort, work: () => Promise<void>, signal?: AbortSignal): Promise<void> {
  return retry(work, {
    backoff,
    retryable: (error) => error instanceof Unprocessed,
    clock: port.clock,
    ...(signal ? { signal } : {}),
  });
}
