import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { messageOf, nameOf } from '../runtime/errors.ts';
import type { Item } from './lease-item.ts';
import { type LeaseStore, LeaseStoreError } from './lease-store.ts';
import { type LeaseWrite, pulseGroup } from './lease-writes.ts';
import { createLeaseStore, type LeaseTable, type TableOutcome } from './table-lease-store.ts';

/** KCL 3's index, and ours: keys only, so it costs a write only when an owner changes. */
export const ownerIndex = 'LeaseOwnerToLeaseKeyIndex';

/** Sparse: one small item for each process that marks a pulse. */
export const pulseIndex = 'PulseIndex';

export interface DynamoLeaseOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** One request, retries of the SDK included. Well below the failover time: one hung call must not cost a lease. */
  readonly requestMs: number;
}

/** Retries are the callers' affair, who know how long a lease still lasts; the SDK's own are inside requestMs. */
export function createDynamoLeaseStore(options: DynamoLeaseOptions): LeaseStore {
  return createLeaseStore(createDynamoLeaseTable(options));
}

type Request = { readonly abortSignal: AbortSignal };
type Call = <T>(work: (request: Request) => Promise<T>) => Promise<T>;

interface Connection {
  readonly documents: DynamoDBDocumentClient;
  readonly TableName: string;
  readonly call: Call;
}

export function createDynamoLeaseTable(options: DynamoLeaseOptions): LeaseTable {
  const { tableName: TableName } = options;
  const documents = DynamoDBDocumentClient.from(options.client, {
    marshallOptions: { removeUndefinedValues: true },
    // A number that JavaScript cannot hold exactly must not fail the page it lies on; parseItem judges it.
    unmarshallOptions: { wrapNumbers: Number },
  });
  const call: Call = async (work) => {
    try {
      return await work({ abortSignal: AbortSignal.timeout(options.requestMs) });
    } catch (error) {
      throw storeError(error, TableName);
    }
  };
  const connection = { documents, TableName, call };
  return { ...itemWrites(connection), ...itemReads(connection) };
}

type Query = Omit<QueryCommandInput, 'TableName' | 'ExclusiveStartKey'>;

function itemReads({
  documents,
  TableName,
  call,
}: Connection): Omit<LeaseTable, 'insert' | 'update' | 'remove'> {
  const queried = async (query: Query): Promise<readonly Item[]> => {
    const found: Item[] = [];
    const read = pages((ExclusiveStartKey) =>
      call((request) =>
        documents.send(new QueryCommand({ TableName, ...query, ExclusiveStartKey }), request),
      ),
    );
    for await (const items of read) found.push(...items);
    return found;
  };
  return {
    get: (leaseKey) =>
      call(async (request) => {
        const read = new GetCommand({ TableName, Key: { leaseKey }, ConsistentRead: true });
        return (await documents.send(read, request)).Item;
      }),
    scan: ({ n, of }) => {
      const segment = of === 1 ? {} : { Segment: n, TotalSegments: of };
      return pages((ExclusiveStartKey) =>
        call((request) =>
          documents.send(new ScanCommand({ TableName, ExclusiveStartKey, ...segment }), request),
        ),
      );
    },
    ownedBy: async (worker) => {
      const found = await queried({
        IndexName: ownerIndex,
        KeyConditionExpression: 'leaseOwner = :owner',
        ExpressionAttributeValues: { ':owner': worker },
      });
      return found.map((item) => String(item.leaseKey));
    },
    pulses: async (incarnation) => {
      const one = incarnation === undefined ? {} : { ':pulse': incarnation };
      try {
        return await queried({
          IndexName: pulseIndex,
          KeyConditionExpression: `pulseGroup = :group${incarnation === undefined ? '' : ' AND pulse = :pulse'}`,
          ExpressionAttributeValues: { ':group': pulseGroup, ...one },
        });
      } catch (error) {
        if (isIndexOutOfReach(error)) return undefined;
        throw error;
      }
    },
  };
}

function itemWrites(connection: Connection): Pick<LeaseTable, 'insert' | 'update' | 'remove'> {
  const { documents, TableName, call } = connection;
  const { get } = itemReads(connection);
  /**
   * After a failed condition the item is read again, consistently: one path for servers that return the item with
   * the failure and those that do not. What is read is never older than what the condition saw.
   */
  const conditional = async (
    leaseKey: string,
    work: (request: Request) => Promise<Item>,
  ): Promise<TableOutcome> => {
    try {
      return { done: true, item: await call(work) };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return { done: false, item: await get(leaseKey) };
    }
  };
  return {
    insert: (leaseKey, item) =>
      conditional(leaseKey, async (request) => {
        const ConditionExpression = 'attribute_not_exists(leaseKey)';
        await documents.send(new PutCommand({ TableName, Item: item, ConditionExpression }), request);
        return item;
      }),
    update: (write) =>
      conditional(write.leaseKey, async (request) => {
        const update = new UpdateCommand({ TableName, ReturnValues: 'ALL_NEW', ...updateInput(write) });
        return (await documents.send(update, request)).Attributes ?? {};
      }),
    remove: (write) =>
      conditional(write.leaseKey, async (request) => {
        const remove = new DeleteCommand({ TableName, ReturnValues: 'ALL_OLD', ...deleteInput(write) });
        return (await documents.send(remove, request)).Attributes ?? {};
      }),
  };
}

/**
 * A table that Java made, or one from before there were pulses, has no such index, one that is being built cannot be
 * read yet, and a role may reach the table only.
 */
function isIndexOutOfReach(error: unknown): boolean {
  if (!(error instanceof LeaseStoreError)) return false;
  return error.code === 'lease-table-forbidden' || nameOf(error.cause) === 'ValidationException';
}

interface Page {
  readonly Items?: Item[] | undefined;
  readonly LastEvaluatedKey?: Record<string, unknown> | undefined;
}

/** Page by page, each one request with its own timeout. */
async function* pages(
  read: (startKey: Record<string, unknown> | undefined) => Promise<Page>,
): AsyncIterable<readonly Item[]> {
  let startKey: Record<string, unknown> | undefined;
  do {
    const page = await read(startKey);
    yield page.Items ?? [];
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
}

interface Expression {
  readonly names: Record<string, string>;
  readonly values: Record<string, unknown>;
  readonly name: (attribute: string) => string;
  readonly value: (value: unknown) => string;
}

function createExpression(): Expression {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  return {
    names,
    values,
    name: (attribute) => {
      names[`#${attribute}`] = attribute;
      return `#${attribute}`;
    },
    value: (value) => {
      const placeholder = `:v${Object.keys(values).length}`;
      values[placeholder] = value;
      return placeholder;
    },
  };
}

function condition(write: LeaseWrite, expression: Expression): string {
  return Object.entries(write.expect)
    .map(([attribute, value]) =>
      value === undefined
        ? `attribute_not_exists(${expression.name(attribute)})`
        : `${expression.name(attribute)} = ${expression.value(value)}`,
    )
    .join(' AND ');
}

function updateInput(write: LeaseWrite) {
  const expression = createExpression();
  const ConditionExpression = condition(write, expression);
  const set = Object.entries(write.set).map(
    ([attribute, value]) => `${expression.name(attribute)} = ${expression.value(value)}`,
  );
  const remove = write.remove.map(expression.name);
  return {
    Key: { leaseKey: write.leaseKey },
    ConditionExpression,
    UpdateExpression: `SET ${set.join(', ')}${remove.length > 0 ? ` REMOVE ${remove.join(', ')}` : ''}`,
    ExpressionAttributeNames: expression.names,
    ExpressionAttributeValues: expression.values,
  };
}

function deleteInput(write: LeaseWrite) {
  const expression = createExpression();
  return {
    Key: { leaseKey: write.leaseKey },
    ConditionExpression: condition(write, expression),
    ExpressionAttributeNames: expression.names,
    ExpressionAttributeValues: expression.values,
  };
}

const throttles = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'LimitExceededException',
]);
const refusals = new Set([
  'AccessDeniedException',
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'InvalidSignatureException',
]);

/** What went wrong with the table, as the one kind of error that its users know. */
export function storeError(error: unknown, table: string): unknown {
  if (error instanceof ConditionalCheckFailedException) return error;
  const name = nameOf(error);
  if (name === 'ResourceNotFoundException') {
    return new LeaseStoreError(
      'lease-table-missing',
      `The lease table "${table}" (or its index) does not exist: create it, or correct its name`,
      error,
    );
  }
  if (throttles.has(name)) {
    return new LeaseStoreError('lease-table-throttled', `The lease table "${table}" is throttled`, error);
  }
  if (refusals.has(name)) {
    return new LeaseStoreError(
      'lease-table-forbidden',
      `The lease table "${table}" refuses this worker: ${messageOf(error)}`,
      error,
    );
  }
  return new LeaseStoreError(
    'lease-table-unavailable',
    `The lease table "${table}" did not answer: ${messageOf(error)}`,
    error,
  );
}
