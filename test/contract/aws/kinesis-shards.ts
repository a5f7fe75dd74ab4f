import {
  ListShardsCommand,
  MergeShardsCommand,
  SplitShardCommand,
  UpdateShardCountCommand,
  type KinesisClient,
  type Shard,
  type ShardFilter,
} from '@aws-sdk/client-kinesis';
import { expect } from 'chai';
import {
  active,
  iterator,
  newStream,
  openShardsOf,
  put,
  read,
  shardId,
  shardsOf,
  textsIn,
  textsOf,
} from './support/kinesis-calls.ts';
import type { Rule } from './support/kinesis-peers.ts';
import { refusalName } from './support/peers.ts';

const HASH_KEYS = 2n ** 128n;
const middle = (HASH_KEYS / 2n).toString();

async function split(client: KinesisClient, StreamName: string, key = middle, shard = 0): Promise<void> {
  await client.send(
    new SplitShardCommand({ StreamName, ShardToSplit: shardId(shard), NewStartingHashKey: key }),
  );
  await active(client, StreamName);
}

async function merge(
  client: KinesisClient,
  StreamName: string,
  first: number,
  second: number,
): Promise<void> {
  const pair = { ShardToMerge: shardId(first), AdjacentShardToMerge: shardId(second) };
  await client.send(new MergeShardsCommand({ StreamName, ...pair }));
  await active(client, StreamName);
}

async function scale(client: KinesisClient, StreamName: string, TargetShardCount: number): Promise<void> {
  const ScalingType = 'UNIFORM_SCALING';
  await client.send(new UpdateShardCountCommand({ StreamName, TargetShardCount, ScalingType }));
  await active(client, StreamName);
}

async function idsOf(client: KinesisClient, StreamName: string, ShardFilter: ShardFilter): Promise<number[]> {
  const { Shards } = await client.send(new ListShardsCommand({ StreamName, ShardFilter }));
  return Shards!.map((shard) => Number(shard.ShardId!.slice(8))).toSorted((a, b) => a - b);
}

function rangesOf(shards: readonly Shard[]): [bigint, bigint][] {
  return shards
    .map((shard): [bigint, bigint] => [
      BigInt(shard.HashKeyRange!.StartingHashKey!),
      BigInt(shard.HashKeyRange!.EndingHashKey!),
    ])
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function expectToCover(shards: readonly Shard[]): void {
  const ranges = rangesOf(shards);
  expect(ranges[0]![0]).to.equal(0n);
  expect(ranges.at(-1)![1]).to.equal(HASH_KEYS - 1n);
  for (const [i, [start]] of ranges.entries()) if (i > 0) expect(start).to.equal(ranges[i - 1]![1] + 1n);
}

/** Nobody documents how the service rounds, so a few keys of difference are none. */
function expectToShareEqually(shards: readonly Shard[], count: number): void {
  expect(shards).to.have.length(count);
  expectToCover(shards);
  for (const [start, end] of rangesOf(shards)) {
    const difference = Number(end - start - HASH_KEYS / BigInt(count));
    expect(Math.abs(difference), `${start} … ${end}`).to.be.at.most(8);
  }
}

const lists: readonly Rule[] = [
  {
    sentence: 'the shards of a stream share all hash keys equally',
    check: async (client) => {
      expectToShareEqually(await shardsOf(client, await newStream(client, 3)), 3);
    },
  },
  {
    sentence: 'shards are listed page by page, each page from the token alone',
    check: async (client) => {
      const StreamName = await newStream(client, 5);
      const ids: string[] = [];
      let page = await client.send(new ListShardsCommand({ StreamName, MaxResults: 2 }));
      for (;;) {
        ids.push(...page.Shards!.map((shard) => shard.ShardId!));
        if (page.NextToken === undefined) break;
        page = await client.send(new ListShardsCommand({ NextToken: page.NextToken, MaxResults: 2 }));
      }
      expect(ids).to.deep.equal([0, 1, 2, 3, 4].map(shardId));
    },
  },
  {
    sentence: 'a page token beside a stream name is an InvalidArgumentException',
    check: async (client) => {
      const StreamName = await newStream(client, 2);
      const { NextToken } = await client.send(new ListShardsCommand({ StreamName, MaxResults: 1 }));
      const both = client.send(new ListShardsCommand({ StreamName, NextToken }));
      expect(await refusalName(both)).to.equal('InvalidArgumentException');
    },
  },
  {
    sentence: 'shards are listed from behind an exclusive start',
    check: async (client) => {
      const StreamName = await newStream(client, 3);
      const { Shards } = await client.send(
        new ListShardsCommand({ StreamName, ExclusiveStartShardId: shardId(0) }),
      );
      expect(Shards!.map((shard) => shard.ShardId)).to.deep.equal([shardId(1), shardId(2)]);
    },
  },
  {
    sentence: 'filters give the open shards, the later ones, those at the trim horizon, or all',
    check: async (client) => {
      const StreamName = await newStream(client);
      await split(client, StreamName);
      expect(await idsOf(client, StreamName, { Type: 'AT_LATEST' })).to.deep.equal([1, 2]);
      expect(await idsOf(client, StreamName, { Type: 'AFTER_SHARD_ID', ShardId: shardId(1) })).to.deep.equal([
        2,
      ]);
      expect(await idsOf(client, StreamName, { Type: 'AT_TRIM_HORIZON' })).to.deep.equal([0]);
      expect(await idsOf(client, StreamName, { Type: 'FROM_TRIM_HORIZON' })).to.deep.equal([0, 1, 2]);
    },
  },
];

const splitsAndMerges: readonly Rule[] = [
  {
    sentence: 'a split closes the parent and opens two children above it, which share its range',
    check: async (client) => {
      const StreamName = await newStream(client);
      await split(client, StreamName, '1000');
      const [parent, low, high] = await shardsOf(client, StreamName);
      const end = parent!.SequenceNumberRange!.EndingSequenceNumber!;
      for (const child of [low!, high!]) {
        expect(child.ParentShardId).to.equal(shardId(0));
        expect(child.AdjacentParentShardId).to.equal(undefined);
        expect(BigInt(child.SequenceNumberRange!.StartingSequenceNumber!) > BigInt(end)).to.equal(true);
      }
      expect(rangesOf([low!, high!])).to.deep.equal([
        [0n, 999n],
        [1000n, HASH_KEYS - 1n],
      ]);
    },
  },
  {
    sentence: 'a merge closes two adjacent parents and opens one child with both ranges',
    check: async (client) => {
      const StreamName = await newStream(client, 2);
      await merge(client, StreamName, 0, 1);
      const open = await openShardsOf(client, StreamName);
      expect(open).to.have.length(1);
      expect(open[0]).to.include({ ParentShardId: shardId(0), AdjacentParentShardId: shardId(1) });
      expectToCover(open);
    },
  },
  {
    sentence: 'a split outside the range of its shard is an InvalidArgumentException',
    check: async (client) => {
      const StreamName = await newStream(client, 2);
      expect(await refusalName(split(client, StreamName, middle, 0))).to.equal('InvalidArgumentException');
      expect(await refusalName(split(client, StreamName, '0', 0))).to.equal('InvalidArgumentException');
    },
  },
  {
    sentence: 'a merge of shards that do not touch is an InvalidArgumentException',
    check: async (client) => {
      const StreamName = await newStream(client, 3);
      expect(await refusalName(merge(client, StreamName, 0, 2))).to.equal('InvalidArgumentException');
    },
  },
  {
    sentence: 'a shard that was split cannot be split again',
    check: async (client) => {
      const StreamName = await newStream(client);
      await split(client, StreamName);
      expect(['InvalidArgumentException', 'ResourceInUseException']).to.include(
        await refusalName(split(client, StreamName)),
      );
    },
  },
  {
    sentence: 'a split of a shard that is not there is a ResourceNotFoundException',
    check: async (client) => {
      const StreamName = await newStream(client);
      expect(await refusalName(split(client, StreamName, middle, 9))).to.equal('ResourceNotFoundException');
    },
  },
  {
    sentence: 'a reader of a closed shard gets its last records, then no iterator but the children',
    check: async (client) => {
      const StreamName = await newStream(client);
      await put(client, StreamName, ['last']);
      await split(client, StreamName);
      const texts: string[] = [];
      let next: string | undefined = await iterator(client, StreamName, {
        ShardIteratorType: 'TRIM_HORIZON',
      });
      let children: (string | undefined)[] = [];
      for (let pages = 0; next !== undefined; pages += 1) {
        expect(pages, 'pages of a closed shard').to.be.lessThan(10);
        const page = await read(client, next);
        texts.push(...textsOf(page));
        next = page.NextShardIterator ?? undefined;
        children = (page.ChildShards ?? []).map((child) => child.ShardId);
      }
      expect(texts).to.deep.equal(['last']);
      expect(children).to.deep.equal([shardId(1), shardId(2)]);
    },
  },
  {
    sentence: 'what is put after a split goes to the children',
    check: async (client) => {
      const StreamName = await newStream(client);
      const [before] = await put(client, StreamName, ['a']);
      await split(client, StreamName);
      const [after] = await put(client, StreamName, ['a']);
      expect([before!.ShardId, after!.ShardId]).to.deep.equal([shardId(0), shardId(1)]);
      expect(BigInt(after!.SequenceNumber!) > BigInt(before!.SequenceNumber!)).to.equal(true);
      expect(await textsIn(client, StreamName, shardId(1))).to.deep.equal(['a']);
    },
  },
];

const scaling: readonly Rule[] = [
  {
    sentence: 'uniform scaling doubles and halves the open shards, and they share all keys equally',
    check: async (client) => {
      const StreamName = await newStream(client, 2);
      await scale(client, StreamName, 4);
      expectToShareEqually(await openShardsOf(client, StreamName), 4);
      await scale(client, StreamName, 2);
      expectToShareEqually(await openShardsOf(client, StreamName), 2);
    },
  },
  {
    sentence: 'uniform scaling to a count that is no multiple still ends with equal shares',
    check: async (client) => {
      const StreamName = await newStream(client, 2);
      await scale(client, StreamName, 3);
      expectToShareEqually(await openShardsOf(client, StreamName), 3);
    },
  },
  {
    sentence: 'uniform scaling beyond double or below half is refused',
    check: async (client) => {
      const StreamName = await newStream(client, 4);
      const refused = ['InvalidArgumentException', 'LimitExceededException', 'ValidationException'];
      expect(refused).to.include(await refusalName(scale(client, StreamName, 9)));
      expect(refused).to.include(await refusalName(scale(client, StreamName, 1)));
    },
  },
];

export const shardRules: readonly Rule[] = [...lists, ...splitsAndMerges, ...scaling];
