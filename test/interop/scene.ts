import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateStreamCommand,
  type KinesisClient,
  MergeShardsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createAwsKinesis } from '../../lib/streams/aws-kinesis.ts';
import type { Kinesis, Shard } from '../../lib/streams/kinesis.ts';
import { tables } from '../../lib/stores/tables.ts';
import { tableInput } from '../../local/seeding/tables.ts';
import type { PutRecord } from './checks.ts';
import { createLeaseLog, type LeaseLog } from './lease-log.ts';

export interface Servers {
  readonly kinesisUrl: string;
  readonly dynamoUrl: string;
  readonly kinesis: KinesisClient;
  readonly dynamo: DynamoDBClient;
}

/** A stream under traffic, and the lease table of the one application that reads it. */
export interface Scene {
  readonly name: string;
  readonly servers: Servers;
  readonly log: LeaseLog;
  /** What the stream has taken, in the order of the answers. */
  readonly puts: readonly PutRecord[];
  readonly shards: () => Promise<readonly Shard[]>;
  /** Halves the first open shard and joins the last two. */
  readonly reshard: () => Promise<string>;
  /** Ends the traffic. Rejects if a record was refused. */
  readonly endTraffic: () => Promise<void>;
}

/** Records a call, and calls a second: enough that each shard has traffic all the time. */
const recordsPerCall = 10;
const betweenCallsMs = 200;
/** A key has several records in one shard, and each shard has several keys. */
const keyCount = 40;

export async function openScene(name: string, shards: number, servers: Servers): Promise<Scene> {
  const kinesis = createAwsKinesis(servers.kinesis);
  await servers.dynamo.send(new CreateTableCommand(tableInput(name, tables['router-leases'])));
  await servers.kinesis.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }));
  const traffic = startTraffic(name, kinesis);
  return {
    name,
    servers,
    log: createLeaseLog(servers.dynamoUrl, name),
    puts: traffic.puts,
    shards: () => kinesis.listShards(name),
    reshard: () => reshard(name, kinesis, servers.kinesis),
    endTraffic: traffic.end,
  };
}

interface Traffic {
  readonly puts: readonly PutRecord[];
  readonly end: () => Promise<void>;
}

function startTraffic(stream: string, kinesis: Kinesis): Traffic {
  const puts: PutRecord[] = [];
  const ending = new AbortController();
  const send = async (): Promise<void> => {
    for (let sent = 0; !ending.signal.aborted; sent += recordsPerCall) {
      const entries = Array.from({ length: recordsPerCall }, (_, i) => ({
        partitionKey: `key-${(sent + i) % keyCount}`,
        data: Buffer.from(String(sent + i)),
      }));
      const outcomes = await kinesis.put(stream, entries);
      outcomes.forEach((outcome, i) => {
        if (!outcome.ok) throw new Error(`${stream} refused a record: ${outcome.message}`);
        puts.push({ ...outcome, partitionKey: entries[i]?.partitionKey ?? '' });
      });
      await systemClock.sleep(betweenCallsMs, ending.signal);
    }
  };
  const sending = send();
  // Looked at in `end`; until then a refusal must not end the process.
  const outcome = Promise.allSettled([sending]);
  return {
    puts,
    end: async () => {
      ending.abort();
      await outcome;
      await sending;
    },
  };
}

async function reshard(StreamName: string, kinesis: Kinesis, client: KinesisClient): Promise<string> {
  const open = (await kinesis.listShards(StreamName)).filter(
    (shard) => shard.endingSequenceNumber === undefined,
  );
  const byHash = open.sort((a, b) => (BigInt(a.startingHashKey) < BigInt(b.startingHashKey) ? -1 : 1));
  const [first] = byHash;
  const [left, right] = byHash.slice(-2);
  if (first === undefined || left === undefined || right === undefined || first === left) {
    throw new Error(`${StreamName} has too few shards for a split and a merge`);
  }
  const middle = (BigInt(first.startingHashKey) + BigInt(first.endingHashKey)) / 2n;
  await client.send(
    new SplitShardCommand({ StreamName, ShardToSplit: first.shardId, NewStartingHashKey: String(middle) }),
  );
  await client.send(
    new MergeShardsCommand({ StreamName, ShardToMerge: left.shardId, AdjacentShardToMerge: right.shardId }),
  );
  return `split ${short(first.shardId)}, merged ${short(left.shardId)} and ${short(right.shardId)}`;
}

export function short(shardId: string): string {
  return shardId.replace(/^shardId-0*(?=\d)/, '');
}
