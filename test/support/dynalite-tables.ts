import type { AddressInfo } from 'node:net';
import { type AttributeDefinition, CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';
import { type TableDefinition, type TableName, tables } from '../../lib/stores/tables.ts';

export interface TestTables {
  readonly client: DynamoDBDocumentClient;
  readonly close: () => Promise<void>;
}

/** DynamoDB in this process, with the platform's own definitions of `names`; tables carry their short names. */
export async function startTables(names: readonly TableName[]): Promise<TestTables> {
  const server = dynalite({ createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const plain = new DynamoDBClient({
    region: 'local',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  for (const name of names) await plain.send(createTable(name));
  return {
    client: DynamoDBDocumentClient.from(plain),
    close: () =>
      new Promise((resolve) => {
        plain.destroy();
        server.close(() => resolve());
      }),
  };
}

function createTable(name: TableName): CreateTableCommand {
  const table: TableDefinition = tables[name];
  const AttributeDefinitions: AttributeDefinition[] = Object.entries(table.keys).map(
    ([AttributeName, AttributeType]) => ({ AttributeName, AttributeType }),
  );
  return new CreateTableCommand({
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions,
    KeySchema: keySchema(table),
    ...(table.indexes.length > 0
      ? {
          GlobalSecondaryIndexes: table.indexes.map((index) => ({
            IndexName: index.name,
            KeySchema: keySchema(index),
            Projection: { ProjectionType: index.projection },
          })),
        }
      : {}),
  });
}

function keySchema(of: { readonly hash: string; readonly range?: string }) {
  const hash = { AttributeName: of.hash, KeyType: 'HASH' as const };
  return of.range === undefined ? [hash] : [hash, { AttributeName: of.range, KeyType: 'RANGE' as const }];
}
