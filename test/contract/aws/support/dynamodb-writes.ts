import {
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  type GlobalSecondaryIndexDescription,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { expect } from 'chai';
import { type TableDefinition, tables } from '../../../../lib/stores/tables.ts';
import { tableInput } from '../../../../local/seeding/tables.ts';
import { type Client, get, type Item, lease, leases, newTable, renew, windows } from './dynamodb-tables.ts';
import { refusal, refusalName, type Rule } from './peers.ts';

export function creation(rule: Rule, client: Client): void {
  rule('creates every table of the platform with its keys and indexes', async () => {
    for (const definition of Object.values(tables) as readonly TableDefinition[]) {
      const TableName = await newTable(client, definition);
      const { Table } = await client().send(new DescribeTableCommand({ TableName }));
      expect(Table?.KeySchema?.map((key) => key.AttributeName)).to.deep.equal(
        [definition.hash, definition.range].filter((name) => name !== undefined),
      );
      const shape = ({ IndexName, Projection }: GlobalSecondaryIndexDescription) => ({
        IndexName,
        Projection,
      });
      const wanted = tableInput(TableName, definition).GlobalSecondaryIndexes ?? [];
      expect((Table?.GlobalSecondaryIndexes ?? []).map(shape)).to.have.deep.members(wanted.map(shape));
    }
  });

  rule('refuses a second table of the same name', async () => {
    const TableName = await leases(client);
    const again = client().send(new CreateTableCommand(tableInput(TableName, tables['router-leases'])));
    expect(await refusalName(again)).to.equal('ResourceInUseException');
  });

  rule('refuses to read a table that is not there', async () => {
    const read = client().send(
      new GetItemCommand({ TableName: 'contract-none', Key: { leaseKey: { S: 'x' } } }),
    );
    expect(await refusalName(read)).to.equal('ResourceNotFoundException');
  });
}

export function conditions(rule: Rule, client: Client): void {
  rule('puts an item only where there is none, under attribute_not_exists of its key', async () => {
    const TableName = await leases(client);
    const put = (owner: string) =>
      client().send(
        new PutItemCommand({
          TableName,
          Item: lease('shard', 1, owner),
          ConditionExpression: 'attribute_not_exists(leaseKey)',
        }),
      );
    await put('a');
    expect(await refusal(put('b'))).to.include({ name: 'ConditionalCheckFailedException', status: 400 });
    expect((await get(client, TableName, { leaseKey: { S: 'shard' } }))?.leaseOwner).to.deep.equal({
      S: 'a',
    });
  });

  rule('shows to a consistent read, after a failed condition, the item that made it fail', async () => {
    const TableName = await leases(client);
    await client().send(new PutItemCommand({ TableName, Item: lease('shard', 5, 'winner') }));
    expect(await refusalName(client().send(renew(TableName, 'shard', 4, 'loser')))).to.equal(
      'ConditionalCheckFailedException',
    );
    expect(await get(client, TableName, { leaseKey: { S: 'shard' } })).to.deep.equal(
      lease('shard', 5, 'winner'),
    );
  });

  rule('does not create an item by an update whose condition needs one', async () => {
    const TableName = await leases(client);
    expect(await refusalName(client().send(renew(TableName, 'ghost', 1, 'a')))).to.equal(
      'ConditionalCheckFailedException',
    );
    expect(await get(client, TableName, { leaseKey: { S: 'ghost' } })).to.equal(undefined);
  });

  rule('deletes under a condition, and gives back what was deleted', async () => {
    const TableName = await leases(client);
    await client().send(new PutItemCommand({ TableName, Item: lease('shard', 2) }));
    const remove = (counter: string) =>
      client().send(
        new DeleteItemCommand({
          TableName,
          Key: { leaseKey: { S: 'shard' } },
          ConditionExpression: 'leaseCounter = :c',
          ExpressionAttributeValues: { ':c': { N: counter } },
          ReturnValues: 'ALL_OLD',
        }),
      );
    expect(await refusalName(remove('1'))).to.equal('ConditionalCheckFailedException');
    expect((await remove('2')).Attributes).to.deep.equal(lease('shard', 2));
  });

  rule('compares under OR, AND and brackets, as a window partial is guarded', async () => {
    const TableName = await windows(client);
    const put = (last: string, fence: number) =>
      client().send(
        new PutItemCommand({
          TableName,
          Item: { pk: { S: 'w' }, sk: { S: 's' }, last_position: { S: last }, fence: { N: `${fence}` } },
          ConditionExpression: 'attribute_not_exists(pk) OR (last_position < :last AND fence <= :fence)',
          ExpressionAttributeValues: { ':last': { S: last }, ':fence': { N: `${fence}` } },
        }),
      );
    await put('0002', 10);
    await put('0003', 10);
    expect(await refusalName(put('0003', 10)), 'same position').to.equal('ConditionalCheckFailedException');
    expect(await refusalName(put('0009', 9)), 'older fence').to.equal('ConditionalCheckFailedException');
  });

  rule('refuses an expression that it cannot read', async () => {
    const TableName = await leases(client);
    const put = new PutItemCommand({
      TableName,
      Item: lease('x', 1),
      ConditionExpression: 'leaseCounter ==',
    });
    expect(await refusalName(client().send(put))).to.equal('ValidationException');
  });
}

export function races(rule: Rule, client: Client): void {
  const writers = 50;

  rule('lets exactly one of 50 concurrent updates with the same condition through', async () => {
    const TableName = await leases(client);
    await client().send(new PutItemCommand({ TableName, Item: lease('shard', 1) }));
    const owners = Array.from({ length: writers }, (_, at) => `worker-${at}`);
    const outcomes = await Promise.allSettled(
      owners.map((owner) => client().send(renew(TableName, 'shard', 1, owner))),
    );
    const winners = owners.filter((_, at) => outcomes[at]?.status === 'fulfilled');
    expect(winners).to.have.lengthOf(1);
    const [winner = ''] = winners;
    expect(await get(client, TableName, { leaseKey: { S: 'shard' } })).to.deep.equal(
      lease('shard', 2, winner),
    );
  });

  rule('lets exactly one of 50 concurrent puts create an item', async () => {
    const TableName = await leases(client);
    const outcomes = await Promise.allSettled(
      Array.from({ length: writers }, (_, at) =>
        client().send(
          new PutItemCommand({
            TableName,
            Item: lease('shard', at),
            ConditionExpression: 'attribute_not_exists(leaseKey)',
          }),
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).to.have.lengthOf(1);
  });

  rule('adds up concurrent ADDs without losing one', async () => {
    const TableName = await leases(client);
    await Promise.all(
      Array.from({ length: writers }, () =>
        client().send(
          new UpdateItemCommand({
            TableName,
            Key: { leaseKey: { S: 'sum' } },
            UpdateExpression: 'ADD leaseCounter :one',
            ExpressionAttributeValues: { ':one': { N: '1' } },
          }),
        ),
      ),
    );
    expect((await get(client, TableName, { leaseKey: { S: 'sum' } }))?.leaseCounter).to.deep.equal({
      N: `${writers}`,
    });
  });
}

export function updates(rule: Rule, client: Client): void {
  rule('sets and removes attributes in one update and gives back the whole new item', async () => {
    const TableName = await leases(client);
    await client().send(new PutItemCommand({ TableName, Item: { ...lease('shard', 1), offer: { S: 'x' } } }));
    const { Attributes } = await client().send(
      new UpdateItemCommand({
        TableName,
        Key: { leaseKey: { S: 'shard' } },
        UpdateExpression: 'SET #checkpoint = :at REMOVE #offer, leaseOwner',
        ExpressionAttributeNames: { '#checkpoint': 'checkpoint', '#offer': 'offer' },
        ExpressionAttributeValues: {
          ':at': { S: '49590338271490256608559692538361571095921575989136588898' },
        },
        ReturnValues: 'ALL_NEW',
      }),
    );
    expect(Attributes).to.deep.equal({
      leaseKey: { S: 'shard' },
      leaseCounter: { N: '1' },
      checkpoint: { S: '49590338271490256608559692538361571095921575989136588898' },
    });
  });

  rule('keeps the parents of a shard as a set, which may grow and shrink', async () => {
    const TableName = await leases(client);
    const update = (UpdateExpression: string, ...parents: string[]) =>
      client().send(
        new UpdateItemCommand({
          TableName,
          Key: { leaseKey: { S: 'child' } },
          UpdateExpression,
          ExpressionAttributeValues: { ':p': { SS: parents } },
        }),
      );
    await update('SET parentShardId = :p', 'shard-1', 'shard-2');
    await update('ADD parentShardId :p', 'shard-2', 'shard-3');
    await update('DELETE parentShardId :p', 'shard-1');
    const item = await get(client, TableName, { leaseKey: { S: 'child' } });
    expect(item?.parentShardId?.SS).to.have.members(['shard-2', 'shard-3']);
  });

  rule('refuses an empty set', async () => {
    const TableName = await leases(client);
    const put = new PutItemCommand({ TableName, Item: { ...lease('child', 1), parentShardId: { SS: [] } } });
    expect(await refusalName(client().send(put))).to.equal('ValidationException');
  });
}

export function values(rule: Rule, client: Client): void {
  rule('keeps bytes, nested maps, lists, nulls, booleans and numbers of 38 digits as they are', async () => {
    const TableName = await leases(client);
    const Item: Item = {
      leaseKey: { S: 'all' },
      bytes: { B: Uint8Array.of(0, 255, 128) },
      nested: { M: { list: { L: [{ S: '' }, { NULL: true }, { BOOL: false }] } } },
      number: { N: '12345678901234567890123456789012345678' },
    };
    await client().send(new PutItemCommand({ TableName, Item }));
    const read = await get(client, TableName, { leaseKey: { S: 'all' } });
    expect({ ...read, bytes: { B: Uint8Array.from(read?.bytes?.B ?? []) } }).to.deep.equal(Item);
  });

  rule('takes an item of 400 KB, names included, and refuses one byte more', async () => {
    const TableName = await leases(client);
    const itemBytesMax = 400 * 1024;
    const other = Buffer.byteLength('leaseKey' + 'big' + 'blob');
    const put = (bytes: number) =>
      client().send(
        new PutItemCommand({
          TableName,
          Item: { leaseKey: { S: 'big' }, blob: { S: 'x'.repeat(bytes - other) } },
        }),
      );
    await put(itemBytesMax);
    expect(await refusalName(put(itemBytesMax + 1))).to.equal('ValidationException');
  });

  rule('refuses an empty key', async () => {
    const TableName = await leases(client);
    expect(await refusalName(client().send(new PutItemCommand({ TableName, Item: lease('', 1) })))).to.equal(
      'ValidationException',
    );
  });
}
