import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { expect } from 'chai';
import { type Client, type Item, lease, leases, renew, windows } from './dynamodb-tables.ts';
import { refusalName, type Rule } from './peers.ts';

export function pages(rule: Rule, client: Client): void {
  const count = 60;
  const rangeKeys = Array.from({ length: count }, (_, at) => String(at).padStart(3, '0'));

  async function filledWindows(): Promise<string> {
    const TableName = await windows(client);
    await Promise.all(
      rangeKeys.map((sk) =>
        client().send(new PutItemCommand({ TableName, Item: { pk: { S: 'p' }, sk: { S: sk } } })),
      ),
    );
    return TableName;
  }

  interface Page {
    readonly Items?: Item[] | undefined;
    readonly LastEvaluatedKey?: Item | undefined;
  }

  async function readAll(read: (from: Item | undefined) => Promise<Page>) {
    const items: Item[] = [];
    let from: Item | undefined;
    do {
      const page = await read(from);
      items.push(...(page.Items ?? []));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return items.map((item) => item.sk?.S);
  }

  rule('queries a partition in the order of its range key, page by page, both ways', async () => {
    const TableName = await filledWindows();
    const read = (ScanIndexForward: boolean) =>
      readAll((ExclusiveStartKey) =>
        client().send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: 'pk = :p',
            ExpressionAttributeValues: { ':p': { S: 'p' } },
            Limit: 7,
            ScanIndexForward,
            ExclusiveStartKey,
          }),
        ),
      );
    const forward = await read(true);
    expect(forward).to.deep.equal(rangeKeys);
    expect(await read(false)).to.deep.equal([...rangeKeys].reverse());
  });

  rule('queries a range by BETWEEN and by begins_with', async () => {
    const TableName = await filledWindows();
    const query = async (condition: string, more: Item) => {
      const KeyConditionExpression = `pk = :p AND ${condition}`;
      const ExpressionAttributeValues = { ':p': { S: 'p' }, ...more };
      const { Items = [] } = await client().send(
        new QueryCommand({ TableName, KeyConditionExpression, ExpressionAttributeValues }),
      );
      return Items.map((item) => item.sk?.S);
    };
    expect(await query('sk BETWEEN :a AND :b', { ':a': { S: '009' }, ':b': { S: '011' } })).to.deep.equal([
      '009',
      '010',
      '011',
    ]);
    expect(await query('begins_with(sk, :a)', { ':a': { S: '02' } })).to.have.lengthOf(10);
  });

  rule('scans every item once, page by page and in parallel segments', async () => {
    const TableName = await filledWindows();
    const scan = (more: object) =>
      readAll((ExclusiveStartKey) =>
        client().send(
          new ScanCommand({ TableName, Limit: 9, ExclusiveStartKey, ConsistentRead: true, ...more }),
        ),
      );
    expect(new Set(await scan({})).size).to.equal(count);
    const segments = [0, 1, 2].map((Segment) => scan({ Segment, TotalSegments: 3 }));
    expect((await Promise.all(segments)).flat()).to.have.lengthOf(count);
  });

  rule('ends a page of a query at 1 MB', async () => {
    const TableName = await windows(client);
    const blob = { S: 'x'.repeat(300 * 1024) };
    const keys = ['1', '2', '3', '4', '5'];
    await Promise.all(
      keys.map((sk) =>
        client().send(new PutItemCommand({ TableName, Item: { pk: { S: 'p' }, sk: { S: sk }, blob } })),
      ),
    );
    const first = await client().send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :p',
        ExpressionAttributeValues: { ':p': { S: 'p' } },
      }),
    );
    expect(first.Items).to.have.lengthOf.within(3, 4);
    expect(first.LastEvaluatedKey?.sk?.S).to.equal(first.Items?.at(-1)?.sk?.S);
  });

  rule('finds items through an index made with the table, and projects keys only', async () => {
    const TableName = await leases(client);
    for (const [key, owner] of [
      ['s1', 'a'],
      ['s2', 'b'],
      ['s3', 'a'],
    ] as const) {
      await client().send(new PutItemCommand({ TableName, Item: lease(key, 1, owner) }));
    }
    const owned = async (owner: string) => {
      const { Items = [] } = await client().send(
        new QueryCommand({
          TableName,
          IndexName: 'LeaseOwnerToLeaseKeyIndex',
          KeyConditionExpression: 'leaseOwner = :o',
          ExpressionAttributeValues: { ':o': { S: owner } },
        }),
      );
      return Items;
    };
    expect(await owned('a')).to.deep.equal(
      ['s1', 's3'].map((key) => ({ leaseKey: { S: key }, leaseOwner: { S: 'a' } })),
    );
    await client().send(renew(TableName, 's1', 1, 'b'));
    expect((await owned('b')).map((item) => item.leaseKey?.S)).to.deep.equal(['s1', 's2']);
  });

  rule('keeps an item without the index key out of the index', async () => {
    const TableName = await leases(client);
    await client().send(new PutItemCommand({ TableName, Item: { leaseKey: { S: 'free' } } }));
    const { Items } = await client().send(
      new ScanCommand({ TableName, IndexName: 'LeaseOwnerToLeaseKeyIndex' }),
    );
    expect(Items).to.deep.equal([]);
  });
}

export function batches(rule: Rule, client: Client): void {
  const puts = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ PutRequest: { Item: lease(`shard-${at}`, at) } }));

  rule(
    'writes 25 items in one batch, says that none is unprocessed, and reads them back in one',
    async () => {
      const TableName = await leases(client);
      const { UnprocessedItems } = await client().send(
        new BatchWriteItemCommand({ RequestItems: { [TableName]: puts(25) } }),
      );
      expect(UnprocessedItems).to.deep.equal({});
      const Keys = puts(25).map(({ PutRequest }) => ({
        leaseKey: PutRequest.Item.leaseKey as AttributeValue,
      }));
      const { Responses } = await client().send(
        new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys } } }),
      );
      expect(Responses?.[TableName]).to.have.lengthOf(25);
    },
  );

  rule('refuses a batch of 26', async () => {
    const TableName = await leases(client);
    const batch = client().send(new BatchWriteItemCommand({ RequestItems: { [TableName]: puts(26) } }));
    expect(await refusalName(batch)).to.equal('ValidationException');
  });

  rule('refuses a batch that names one key twice', async () => {
    const TableName = await leases(client);
    const twice = [...puts(1), ...puts(1)];
    const batch = client().send(new BatchWriteItemCommand({ RequestItems: { [TableName]: twice } }));
    expect(await refusalName(batch)).to.equal('ValidationException');
  });
}
