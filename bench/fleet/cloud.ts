import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateStreamCommand } from '@aws-sdk/client-kinesis';
import { tables } from '../../lib/stores/tables.ts';
import { createAwsKinesis, createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import type { Kinesis, PutEntry, Shard } from '../../lib/streams/kinesis.ts';
import { tableInput } from '../../local/seeding/tables.ts';
import { startOwn } from '../stand-in/servers.ts';
import { end, firstMessage, forkScript } from './child.ts';
import type { WorkerSettings } from './messages.ts';

const region = 'eu-central-1';
const STREAM = 'bench';

/** Where a worker finds its stream and its lease table. */
export type Place = Pick<WorkerSettings, 'stream' | 'table' | 'kinesisUrl' | 'dynamodbUrl'>;

/** One stream, and lease tables; each service in a process of its own. */
export interface BenchCloud {
  readonly kinesis: Kinesis;
  readonly shards: readonly Shard[];
  readonly place: Place;
  /** The same stream with a new, empty lease table: whoever starts there reads from the beginning. */
  readonly freshPlace: () => Promise<Place>;
  readonly stop: () => Promise<void>;
}

export async function startCloud(shardCount: number): Promise<BenchCloud> {
  process.env.AWS_ACCESS_KEY_ID ??= 'bench';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'bench';
  const server = await startOwn();
  const tableServer = forkScript('dynamodb.ts', '');
  const client = createKinesisClient({ region, endpoint: server.url });
  const stop = async (): Promise<void> => {
    client.destroy();
    await Promise.all([server.stop(), end(tableServer, 'SIGKILL')]);
  };
  try {
    const { url } = await firstMessage<{ readonly url: string }>(tableServer, 'DynamoDB');
    await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: shardCount }));
    const kinesis = createAwsKinesis(client);
    const shards = await kinesis.listShards(STREAM);
    let count = 0;
    const freshPlace = async (): Promise<Place> => {
      const table = `leases-${(count += 1)}`;
      await createLeaseTable(url, table);
      return { stream: STREAM, table, kinesisUrl: server.url, dynamodbUrl: url };
    };
    return { kinesis, shards, place: await freshPlace(), freshPlace, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function createLeaseTable(endpoint: string, name: string): Promise<void> {
  const client = new DynamoDBClient({ region, endpoint });
  await client.send(new CreateTableCommand(tableInput(name, tables['router-leases'])));
  client.destroy();
}

/** A record that goes to this shard. */
export function entryFor(shard: Shard, data: Uint8Array): PutEntry {
  return { partitionKey: 'bench', explicitHashKey: shard.startingHashKey, data };
}

const entriesMax = 500;
/** Below the 5 MiB that one PutRecords may carry. */
const bytesMax = 4 * 1024 * 1024;

/** Puts all of them, as many per call as the service takes; rejects if one is refused. Their sequence numbers. */
export async function putAll(cloud: BenchCloud, entries: readonly PutEntry[]): Promise<readonly string[]> {
  const numbers: string[] = [];
  for (let at = 0; at < entries.length; ) {
    const call: PutEntry[] = [];
    for (let size = 0; at < entries.length && call.length < entriesMax; at += 1) {
      const entry = entries[at]!;
      size += entry.data.length;
      if (call.length > 0 && size > bytesMax) break;
      call.push(entry);
    }
    for (const outcome of await cloud.kinesis.put(STREAM, call)) {
      if (!outcome.ok) throw new Error(`PutRecords refused a record: ${outcome.code} ${outcome.message}`);
      numbers.push(`${outcome.shardId} ${outcome.sequenceNumber}`);
    }
  }
  return numbers;
}
