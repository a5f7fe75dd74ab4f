import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { expect } from 'chai';
import { createDynamoLeaseStore } from '../../../lib/leases/dynamo-lease-table.ts';
import { leaseTableInput } from '../../../lib/leases/lease-table.ts';
import { LeaseStoreError, wholeTable } from '../../../lib/leases/lease-store.ts';
import { createMemoryLeaseStore } from '../../../lib/leases/memory-lease-table.ts';
import { isMotoThere, motoUrl } from '../../contract/aws/support/moto.ts';
import { leaseStoreContract, type StoreUnderTest } from '../../contract/lease-store.ts';
import { startTables } from '../../support/dynalite-tables.ts';

leaseStoreContract('memory', async () => {
  const store = createMemoryLeaseStore();
  return {
    store,
    item: async (leaseKey) => store.table.items.get(leaseKey),
    plant: async (item) => void store.table.items.set(String(item.leaseKey), item),
    close: async () => {},
  };
});

const TableName = 'router-leases';

function underTest(client: DynamoDBClient, close: () => Promise<void>): StoreUnderTest {
  const documents = DynamoDBDocumentClient.from(client);
  return {
    store: createDynamoLeaseStore({ client, tableName: TableName, requestMs: 2_000 }),
    item: async (leaseKey) =>
      (await documents.send(new GetCommand({ TableName, Key: { leaseKey }, ConsistentRead: true }))).Item,
    plant: async (item) => void (await documents.send(new PutCommand({ TableName, Item: item }))),
    close,
  };
}

leaseStoreContract('DynamoDB (dynalite)', async () => {
  const tables = await startTables([TableName]);
  return underTest(tables.client, tables.close);
});

// Its threads check a condition and write in two steps: seen to let two writers win (5.2.1).
leaseStoreContract(
  'DynamoDB (moto)',
  async () => {
    if (!isMotoThere()) return { skip: 'python3 has no moto.server' };
    const client = new DynamoDBClient({
      region: 'eu-central-1',
      endpoint: await motoUrl(),
      credentials: { accessKeyId: 'leases', secretAccessKey: 'test' },
    });
    await client.send(new CreateTableCommand(leaseTableInput(TableName)));
    return underTest(client, async () => client.destroy());
  },
  'atomic conditions',
);

describe('DynamoDB lease store', () => {
  it('says which table is missing', async () => {
    const tables = await startTables([]);
    const store = createDynamoLeaseStore({ client: tables.client, tableName: 'nowhere', requestMs: 2_000 });
    for (const call of [() => store.get('x'), () => store.ownedBy('x'), () => firstPage(store)]) {
      const error = await call().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(LeaseStoreError);
      expect(error).to.include({ code: 'lease-table-missing' });
      expect(String(error)).to.include('"nowhere"');
    }
    await tables.close();
  });

  it('says that there are no pulses where the table has no index for them, as one that Java made', async () => {
    const tables = await startTables([]);
    const { GlobalSecondaryIndexes = [], ...rest } = leaseTableInput('java-made');
    const [byOwner] = GlobalSecondaryIndexes;
    await tables.client.send(
      new CreateTableCommand({
        ...rest,
        AttributeDefinitions: rest.AttributeDefinitions?.slice(0, 2),
        GlobalSecondaryIndexes: byOwner === undefined ? [] : [byOwner],
      }),
    );
    const store = createDynamoLeaseStore({
      client: tables.client,
      tableName: 'java-made',
      requestMs: 2_000,
    });
    expect([await store.pulses(), await store.pulses('a/1')]).to.deep.equal([undefined, undefined]);
    expect(await store.ownedBy('a')).to.deep.equal([]);
    await tables.close();
  });

  it('does not let a number that JavaScript cannot hold spoil the page it lies on', async () => {
    const tables = await startTables([TableName]);
    const store = createDynamoLeaseStore({ client: tables.client, tableName: TableName, requestMs: 2_000 });
    await tables.client.send(
      new PutCommand({ TableName, Item: { leaseKey: 'big', leaseCounter: 2n ** 80n, checkpoint: 'LATEST' } }),
    );
    const page = await firstPage(store);
    expect(page.map((item) => item.type)).to.deep.equal(['malformed']);
    await tables.close();
  });
});

async function firstPage(store: ReturnType<typeof createDynamoLeaseStore>) {
  for await (const page of store.list(wholeTable)) return page;
  throw new Error('no page');
}
