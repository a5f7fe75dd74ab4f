import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';
import { type TableName, tables } from '../../lib/stores/tables.ts';
import { tableInput } from '../../local/seeding/tables.ts';

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
  for (const name of names) await plain.send(new CreateTableCommand(tableInput(name, tables[name])));
  return {
    client: DynamoDBDocumentClient.from(plain),
    close: () =>
      new Promise((resolve) => {
        plain.destroy();
        server.close(() => resolve());
      }),
  };
}
