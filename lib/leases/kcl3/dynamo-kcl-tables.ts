import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb';
import { storeError } from '../dynamo-lease-table.ts';
import type { Item } from '../lease-item.ts';
import { LeaseStoreError } from '../lease-store.ts';
import { idTaken, type KclTables, metricsEntity, type Place, workerKey } from './kcl-tables.ts';

export interface DynamoKclOptions {
  readonly client: DynamoDBClient;
  readonly leaseTable: string;
  /** KCL's application name, from which the old tables of 3.0 to 3.4 have theirs. Without it they are not looked for. */
  readonly application?: string;
  /** As for the lease store: one request, retries of the SDK included. */
  readonly requestMs: number;
}

/**
 * Needs GetItem, PutItem and DeleteItem on the lease table, as the lease store does. With `application` also GetItem on
 * `<application>-CoordinatorState`, and GetItem, PutItem, DeleteItem and Scan on `<application>-WorkerMetricStats`;
 * neither need exist.
 */
export function createDynamoKclTables(options: DynamoKclOptions): KclTables {
  const { application, leaseTable, requestMs } = options;
  const documents = DynamoDBDocumentClient.from(options.client, {
    unmarshallOptions: { wrapNumbers: Number },
  });
  const metricsTable = { 'lease-table': leaseTable, 'legacy-tables': `${application}-WorkerMetricStats` };
  const stateTable = {
    'lease-table': { TableName: leaseTable, key: 'leaseKey' },
    'legacy-tables': { TableName: `${application}-CoordinatorState`, key: 'key' },
  };
  const call = async <T>(table: string, work: (abortSignal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await work(AbortSignal.timeout(requestMs));
    } catch (error) {
      throw storeError(error, table);
    }
  };
  const get = (TableName: string, Key: Record<string, string>): Promise<Item | undefined> =>
    call(TableName, async (abortSignal) => {
      const read = new GetCommand({ TableName, Key, ConsistentRead: true });
      return (await documents.send(read, { abortSignal })).Item;
    });
  return {
    state: async (place, id) => {
      if (place === 'legacy-tables' && application === undefined) return 'no-table';
      const { TableName, key } = stateTable[place];
      return orNoTable(place, get(TableName, { [key]: id }));
    },
    metricsOf: async (place, worker) => {
      const item = await orNoTable(place, get(metricsTable[place], { [workerKey[place]]: worker }));
      return item === 'no-table' ? undefined : item;
    },
    legacyMetrics: async () => {
      const TableName = metricsTable['legacy-tables'];
      const items: Item[] = [];
      let ExclusiveStartKey: Item | undefined;
      do {
        const scan = new ScanCommand({ TableName, ExclusiveStartKey });
        const page = await call(TableName, (abortSignal) => documents.send(scan, { abortSignal }));
        items.push(...(page.Items ?? []));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey !== undefined);
      return items;
    },
    publish: async (place, worker, metrics) => {
      const put = new PutCommand({ TableName: metricsTable[place], Item: metrics, ...noLease(place) });
      const sent = call(metricsTable[place], (abortSignal) => documents.send(put, { abortSignal }));
      await orIdTaken(worker, sent);
    },
    withdraw: async (place, worker) => {
      const key = { TableName: metricsTable[place], Key: { [workerKey[place]]: worker } };
      const gone = new DeleteCommand({ ...key, ...noLease(place) });
      const sent = call(metricsTable[place], (abortSignal) => documents.send(gone, { abortSignal }));
      await orIdTaken(worker, sent);
    },
  };
}

/** Of the old place only: that the lease table does not exist is an error. */
async function orNoTable<T>(place: Place, answer: Promise<T>): Promise<T | 'no-table'> {
  try {
    return await answer;
  } catch (error) {
    const gone = error instanceof LeaseStoreError && error.code === 'lease-table-missing';
    if (gone && place === 'legacy-tables') return 'no-table';
    throw error;
  }
}

async function orIdTaken(worker: string, answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    throw error instanceof ConditionalCheckFailedException ? idTaken(worker) : error;
  }
}

function noLease(place: Place) {
  if (place === 'legacy-tables') return {};
  return {
    ConditionExpression: 'attribute_not_exists(leaseKey) OR entityType = :metrics',
    ExpressionAttributeValues: { ':metrics': metricsEntity },
  };
}
