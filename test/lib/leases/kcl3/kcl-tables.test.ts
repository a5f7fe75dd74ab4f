import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { createDynamoKclTables } from '../../../../lib/leases/kcl3/dynamo-kcl-tables.ts';
import { createMemoryKclTables } from '../../../../lib/leases/kcl3/memory-kcl-tables.ts';
import { createMemoryLeaseTable } from '../../../../lib/leases/memory-lease-table.ts';
import { kclTablesContract } from '../../../contract/kcl-tables.ts';
import { startTables } from '../../../support/dynalite-tables.ts';

kclTablesContract('memory', async () => {
  const leases = createMemoryLeaseTable();
  const tables = createMemoryKclTables(leases);
  return {
    tables,
    plant: async (table, item) => {
      const place = {
        leases: [leases.items, item.leaseKey],
        'old-state': [tables.legacy?.state, item.key],
        'old-metrics': [tables.legacy?.metrics, item.wid],
      } as const;
      const [items, key] = place[table];
      items?.set(String(key), item);
    },
    createOldTables: async () => void (tables.legacy = { state: new Map(), metrics: new Map() }),
    close: async () => {},
  };
});

const leaseTable = 'router-leases';
const oldTables = {
  'old-state': { TableName: 'router-CoordinatorState', key: 'key' },
  'old-metrics': { TableName: 'router-WorkerMetricStats', key: 'wid' },
};

kclTablesContract('DynamoDB (dynalite)', async () => {
  const { client, close } = await startTables([leaseTable]);
  const documents = DynamoDBDocumentClient.from(client);
  return {
    tables: createDynamoKclTables({ client, leaseTable, application: 'router', requestMs: 2_000 }),
    plant: async (table, Item) => {
      const TableName = table === 'leases' ? leaseTable : oldTables[table].TableName;
      await documents.send(new PutCommand({ TableName, Item }));
    },
    createOldTables: async () => {
      for (const { TableName, key } of Object.values(oldTables)) {
        await client.send(
          new CreateTableCommand({
            TableName,
            BillingMode: 'PAY_PER_REQUEST',
            AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
            KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
          }),
        );
      }
    },
    close,
  };
});
