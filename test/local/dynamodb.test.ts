import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { expect } from 'chai';
import { tables } from '../../lib/stores/tables.ts';
import { startDynamoDb } from '../../local/dynamodb.ts';
import { localRegion } from '../../local/names.ts';
import { untilActive } from '../../local/seeding/steps.ts';
import { tableInput } from '../../local/seeding/tables.ts';

const TableName = 'ledger';
const item = { consumer: { S: 'router' }, entry: { S: '1' } };

describe('DynamoDB on loopback', () => {
  let dataDir: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'weir-dynamodb-'));
  });

  afterEach(async () => {
    await rm(dataDir, { recursive: true });
  });

  const start = async () => {
    const standIn = await startDynamoDb({ host: '127.0.0.1', port: 0, dataDir });
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const client = new DynamoDBClient({ region: localRegion, endpoint: standIn.url, credentials });
    const stop = async (): Promise<void> => {
      client.destroy();
      await standIn.close();
    };
    const create = async (): Promise<void> => {
      await client.send(new CreateTableCommand(tableInput(TableName, tables.ledger)));
      await untilActive(async () => {
        const { Table } = await client.send(new DescribeTableCommand({ TableName }));
        return Table?.TableStatus;
      }, AbortSignal.timeout(10_000));
    };
    return { standIn, client, create, stop };
  };

  it('keeps tables and items over a restart', async () => {
    const first = await start();
    await first.create();
    await first.client.send(new PutItemCommand({ TableName, Item: item }));
    await first.stop();
    const second = await start();
    const { Item } = await second.client.send(new GetItemCommand({ TableName, Key: item }));
    await second.stop();
    expect(Item).to.deep.equal(item);
  });

  it('outlives a client that is killed in the middle of a request', async () => {
    const { standIn, client, create, stop } = await start();
    const socket = connect(standIn.port, '127.0.0.1');
    const head =
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 99\r\n\r\n{"Ta';
    await new Promise((resolve) => socket.write(head, resolve));
    await create();
    await new Promise((resolve) => socket.destroy().once('close', resolve));
    await client.send(new PutItemCommand({ TableName, Item: item }));
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: item }));
    await stop();
    expect(Item).to.deep.equal(item);
  });
});
