import { GetCommand, QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { getItems, type Item, putItems, sendOptions, type TablePort } from './batches.ts';
import { type EventItem, fromEventItem, type StoredEvent } from './event-item.ts';
import { inFlight } from './in-flight.ts';
import type { Objects } from './objects.ts';
import { formatCursor, type Page, pageLimit, parseCursor } from './page.ts';
import { firstTimeMs, lastTimeMs, timeIdRange } from './time-key.ts';

export interface EventFilter {
  readonly city?: string;
  readonly type?: string;
  /** Event time, half-open [fromMs, toMs). */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** By event time; `desc` (newest first) where nothing is said. Without city and type there is no order. */
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
  readonly cursor?: string;
}

/** Table `events`: hash `event_id`; indexes `by-city` and `by-type`, both by `time_id`. Items: event-item.ts. */
export interface EventStore {
  /** Idempotent. The ids must differ: DynamoDB refuses a batch that names one key twice. */
  readonly put: (items: readonly EventItem[], signal?: AbortSignal) => Promise<void>;
  readonly get: (id: string, signal?: AbortSignal) => Promise<StoredEvent | undefined>;
  readonly list: (filter: EventFilter, signal?: AbortSignal) => Promise<Page<StoredEvent>>;
}

/** Bodies of up to 10 MiB each: few at a time. */
const bodiesInFlightMax = 4;
/** Requests per page. A filter that matches little ends a page early, with a cursor to go on. */
const requestsPerPageMax = 20;

export interface EventStorePort extends TablePort {
  /** The lake, for data that is larger than an item. */
  readonly objects: Objects;
}

export function createEventStore(port: EventStorePort): EventStore {
  return {
    put: async (items, signal) => {
      const bodies = items.flatMap(({ body }) => body ?? []);
      // Bodies first: an item never names an object that is not there.
      await inFlight(bodies, bodiesInFlightMax, (body) =>
        port.objects.put({ ...body, contentType: 'application/gzip' }, signal),
      );
      const rows = items.map(({ item }) => item);
      await putItems(port, rows, signal);
    },
    get: async (id, signal) => {
      const { Item } = await port.client.send(
        new GetCommand({ TableName: port.table, Key: { event_id: id }, ConsistentRead: true }),
        sendOptions(signal),
      );
      return Item ? withBody(port, Item, signal) : undefined;
    },
    list: (filter, signal) => listEvents(port, filter, signal),
  };
}

async function listEvents(
  port: EventStorePort,
  filter: EventFilter,
  signal?: AbortSignal,
): Promise<Page<StoredEvent>> {
  const scope = ['events', filter.city, filter.type, filter.fromMs, filter.toMs, filter.order];
  const limit = pageLimit(filter.limit);
  const items: StoredEvent[] = [];
  let startKey = filter.cursor === undefined ? undefined : (parseCursor(scope, filter.cursor) as Item);
  for (let request = 0; request < requestsPerPageMax; request += 1) {
    const page = await port.client.send(
      keysCommand(port.table, filter, limit - items.length, startKey),
      sendOptions(signal),
    );
    items.push(...(await readEvents(port, page.Items ?? [], filter, signal)));
    startKey = page.LastEvaluatedKey;
    if (startKey === undefined || items.length >= limit) break;
  }
  return { items, next_cursor: startKey === undefined ? null : formatCursor(scope, startKey) };
}

/** The index that answers best: by city (then type is looked at per event), by type, or the whole table. */
function keysCommand(table: string, filter: EventFilter, limit: number, startKey: Item | undefined) {
  const { low, high } = timeIdRange(filter.fromMs ?? firstTimeMs, filter.toMs ?? lastTimeMs);
  const common = { TableName: table, Limit: limit, ...(startKey ? { ExclusiveStartKey: startKey } : {}) };
  const [name, value] = filter.city === undefined ? ['type', filter.type] : ['city', filter.city];
  if (value === undefined) {
    return new ScanCommand({
      ...common,
      FilterExpression: 'time_id BETWEEN :low AND :high',
      ProjectionExpression: 'event_id, time_id',
      ExpressionAttributeValues: { ':low': low, ':high': high },
    });
  }
  return new QueryCommand({
    ...common,
    IndexName: `by-${name}`,
    ScanIndexForward: filter.order === 'asc',
    KeyConditionExpression: '#name = :value AND time_id BETWEEN :low AND :high',
    ExpressionAttributeNames: { '#name': name as string },
    ExpressionAttributeValues: { ':value': value, ':low': low, ':high': high },
  });
}

/** In the order of `keys`; an index may still name an event that has expired meanwhile. */
async function readEvents(
  port: EventStorePort,
  keys: readonly Item[],
  filter: EventFilter,
  signal?: AbortSignal,
): Promise<readonly StoredEvent[]> {
  const items = await getItems(
    port,
    keys.map(({ event_id }) => ({ event_id })),
    { consistent: false, ...(signal ? { signal } : {}) },
  );
  const byId = new Map(items.map((item) => [item['event_id'], item]));
  const wanted = keys
    .map(({ event_id }) => byId.get(event_id))
    .filter((item) => item !== undefined)
    .filter((item) => filter.type === undefined || item['type'] === filter.type);
  return inFlight(wanted, bodiesInFlightMax, (item) => withBody(port, item, signal));
}

async function withBody(port: EventStorePort, item: Item, signal?: AbortSignal): Promise<StoredEvent> {
  const key = item['data_key'];
  return fromEventItem(item, typeof key === 'string' ? await port.objects.get(key, signal) : undefined);
}
