import {
  CreateTableCommand,
  type CreateTableInput,
  DescribeTableCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import type { Clock } from '../runtime/clock.ts';
import { nameOf, PlatformError } from '../runtime/errors.ts';
import { ownerIndex, pulseIndex, storeError } from './dynamo-lease-table.ts';

/** DynamoDB makes a table in seconds; a minute means that it does not. */
const activeMs = 60_000;
const lookMs = 500;

/** The lease table, as CreateTable wants it: keys and first index are those of the Java KCL 3.x, billed on demand. */
export function leaseTableInput(TableName: string): CreateTableInput {
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['leaseKey', 'leaseOwner', 'pulseGroup', 'pulse'].map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S',
    })),
    KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
    GlobalSecondaryIndexes: [
      {
        IndexName: ownerIndex,
        KeySchema: [
          { AttributeName: 'leaseOwner', KeyType: 'HASH' },
          { AttributeName: 'leaseKey', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
      {
        IndexName: pulseIndex,
        KeySchema: [
          { AttributeName: 'pulseGroup', KeyType: 'HASH' },
          { AttributeName: 'pulse', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['leaseCounter'] },
      },
    ],
  };
}

/**
 * Makes the lease table where it does not exist, and waits until it can be used. For a worker that may create its
 * own table; where tables are provisioned, a missing one is an error of the deployment, and workers say so. Rejects
 * with a LeaseStoreError, or with `lease-table-not-active`; resolves early where `signal` aborts.
 */
export async function createLeaseTable(
  client: DynamoDBClient,
  tableName: string,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  try {
    // A look first: who finds the table needs no right to make one.
    let status = await statusOf(client, tableName);
    if (status === undefined) await create(client, tableName);
    const untilMs = clock.monotonic() + activeMs;
    while (status !== 'ACTIVE' && clock.monotonic() < untilMs && signal?.aborted !== true) {
      await clock.sleep(status === undefined ? 0 : lookMs, signal);
      status = (await statusOf(client, tableName)) ?? 'CREATING';
    }
    if (status === 'ACTIVE' || signal?.aborted === true) return;
  } catch (error) {
    throw storeError(error, tableName);
  }
  const message = `The lease table ${tableName} was not ACTIVE within ${activeMs / 1_000} s: look at it in DynamoDB`;
  throw new PlatformError('lease-table-not-active', message, { retryable: true });
}

async function create(client: DynamoDBClient, tableName: string): Promise<void> {
  try {
    await client.send(new CreateTableCommand(leaseTableInput(tableName)));
  } catch (error) {
    // Another worker was first.
    if (nameOf(error) !== 'ResourceInUseException') throw error;
  }
}

/** Undefined where there is no such table; for a moment also after it was made. */
async function statusOf(client: DynamoDBClient, tableName: string): Promise<string | undefined> {
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }));
    return Table?.TableStatus;
  } catch (error) {
    if (nameOf(error) === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
