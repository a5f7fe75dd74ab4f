import { QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { attribute } from '../event/event.ts';
import { type Item, putItems, sendOptions, type TablePort } from './batches.ts';
import { fromEventItem, type StoredEvent, toEventItem } from './event-item.ts';
import { formatCursor, type Page, pageLimit, parseCursor } from './page.ts';
import { firstTimeMs, lastTimeMs, timeIdRange } from './time-key.ts';

/** The city of an alert whose event names none. */
export const noCity = 'none';

export interface AlertFilter {
  readonly city?: string;
  readonly severity?: string;
  /** Event time, half-open [fromMs, toMs). */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Newest first where nothing is said. Without city and severity there is no order. */
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
  readonly cursor?: string;
}

/** Table `alerts`: hash `city` (or `none`), range `time_id`; index `by-severity`. Other attributes: event-item.ts. */
export interface AlertStore {
  /** Idempotent. City, time and id together must differ within one call. */
  readonly put: (alerts: readonly StoredEvent[], signal?: AbortSignal) => Promise<void>;
  readonly list: (filter: AlertFilter, signal?: AbortSignal) => Promise<Page<StoredEvent>>;
}

/** Requests per page; see events.ts. */
const requestsPerPageMax = 20;

export function createAlertStore(port: TablePort): AlertStore {
  return {
    put: (alerts, signal) => putItems(port, alerts.map(toAlertItem), signal),
    list: async (filter, signal) => {
      const scope = ['alerts', filter.city, filter.severity, filter.fromMs, filter.toMs, filter.order];
      const limit = pageLimit(filter.limit);
      const items: StoredEvent[] = [];
      let startKey = filter.cursor === undefined ? undefined : (parseCursor(scope, filter.cursor) as Item);
      for (let request = 0; request < requestsPerPageMax; request += 1) {
        const command = listCommand(port.table, filter, limit - items.length, startKey);
        const page = await port.client.send(command, sendOptions(signal));
        items.push(...(page.Items ?? []).map((item) => fromEventItem(item)));
        startKey = page.LastEvaluatedKey;
        if (startKey === undefined || items.length >= limit) break;
      }
      return { items, next_cursor: startKey === undefined ? null : formatCursor(scope, startKey) };
    },
  };
}

/** Data that does not fit an item stays out: the event itself is in the events table. */
function toAlertItem(alert: StoredEvent): Item {
  const { data_key: _elsewhere, ...item } = toEventItem(alert).item;
  return { ...item, city: alert.event.attributes[attribute.city] ?? noCity };
}

function listCommand(table: string, filter: AlertFilter, limit: number, startKey: Item | undefined) {
  const { low, high } = timeIdRange(filter.fromMs ?? firstTimeMs, filter.toMs ?? lastTimeMs);
  const common = { TableName: table, Limit: limit, ...(startKey ? { ExclusiveStartKey: startKey } : {}) };
  const times = { ':low': low, ':high': high };
  const { city, severity } = filter;
  if (city === undefined && severity === undefined) {
    return new ScanCommand({
      ...common,
      FilterExpression: 'time_id BETWEEN :low AND :high',
      ExpressionAttributeValues: times,
    });
  }
  const bySeverity = city === undefined;
  const both = city !== undefined && severity !== undefined;
  return new QueryCommand({
    ...common,
    ...(bySeverity ? { IndexName: 'by-severity' } : {}),
    ScanIndexForward: filter.order === 'asc',
    KeyConditionExpression: `${bySeverity ? 'severity' : 'city'} = :hash AND time_id BETWEEN :low AND :high`,
    ...(both ? { FilterExpression: 'severity = :severity' } : {}),
    ExpressionAttributeValues: {
      ...times,
      ':hash': city ?? severity,
      ...(both ? { ':severity': severity } : {}),
    },
  });
}
