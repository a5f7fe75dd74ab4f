import {
  type AttributeValue,
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type TableDefinition, tables } from '../../../../lib/stores/tables.ts';
import { tableInput } from '../../../../local/seeding/tables.ts';
import { uniqueName } from './peers.ts';

export type Client = () => DynamoDBClient;
export type Item = Record<string, AttributeValue>;

/** Creates a table under a name of its own and waits until it can be used. */
export async function newTable(client: Client, definition: TableDefinition): Promise<string> {
  const TableName = uniqueName('table');
  await client().send(new CreateTableCommand(tableInput(TableName, definition)));
  for (;;) {
    const { Table } = await client().send(new DescribeTableCommand({ TableName }));
    if (Table?.TableStatus === 'ACTIVE') return TableName;
  }
}

export const leases = (client: Client): Promise<string> => newTable(client, tables['router-leases']);
export const windows = (client: Client): Promise<string> => newTable(client, tables.windows);

export function lease(leaseKey: string, leaseCounter: number, leaseOwner = 'a'): Item {
  return {
    leaseKey: { S: leaseKey },
    leaseCounter: { N: String(leaseCounter) },
    leaseOwner: { S: leaseOwner },
  };
}

export async function get(client: Client, TableName: string, Key: Item): Promise<Item | undefined> {
  return (await client().send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item;
}

/** A renewal: the counter moves by one if it is as expected. */
export function renew(TableName: string, leaseKey: string, from: number, owner: string): UpdateItemCommand {
  return new UpdateItemCommand({
    TableName,
    Key: { leaseKey: { S: leaseKey } },
    ConditionExpression: '#c = :from',
    UpdateExpression: 'SET #c = :to, leaseOwner = :owner',
    ExpressionAttributeNames: { '#c': 'leaseCounter' },
    ExpressionAttributeValues: {
      ':from': { N: `${from}` },
      ':to': { N: `${from + 1}` },
      ':owner': { S: owner },
    },
    ReturnValues: 'ALL_NEW',
  });
}
