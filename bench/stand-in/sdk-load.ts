import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordsCommand,
  SubscribeToShardCommand,
} from '@aws-sdk/client-kinesis';
import { RECORD_BYTES, RECORDS_PER_CALL, STREAM, timed } from './load.ts';

const CALLS_IN_FLIGHT = 4;
const ShardId = 'shardId-000000000000';

/** The SDK's default client (HTTP/2): what a service of ours reaches, most of it the SDK's own work. */
export function sdkClient(endpoint: string): KinesisClient {
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  return new KinesisClient({ endpoint, region: 'eu-central-1', credentials });
}

/** Records per second. */
export async function sdkPutAll(client: KinesisClient, records: number): Promise<number> {
  const Records = Array.from({ length: RECORDS_PER_CALL }, (_, i) => ({
    PartitionKey: `key-${i}`,
    Data: Buffer.alloc(RECORD_BYTES, i % 256),
  }));
  const calls = Math.ceil(records / RECORDS_PER_CALL);
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (sent < calls) {
      sent += 1;
      await client.send(new PutRecordsCommand({ StreamName: STREAM, Records }));
    }
  };
  const seconds = await timed(() => Promise.all(Array.from({ length: CALLS_IN_FLIGHT }, lane)));
  return (calls * RECORDS_PER_CALL) / seconds;
}

export async function sdkReadAll(client: KinesisClient, records: number): Promise<number> {
  const from = new GetShardIteratorCommand({
    StreamName: STREAM,
    ShardId,
    ShardIteratorType: 'TRIM_HORIZON',
  });
  let { ShardIterator } = await client.send(from);
  let seen = 0;
  const seconds = await timed(async () => {
    while (seen < records) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator, Limit: 10_000 }));
      seen += page.Records?.length ?? 0;
      ShardIterator = page.NextShardIterator;
    }
  });
  return seen / seconds;
}

export async function sdkSubscribeAll(
  client: KinesisClient,
  ConsumerARN: string,
  records: number,
): Promise<number> {
  const hangUp = new AbortController();
  let seen = 0;
  const seconds = await timed(async () => {
    const { EventStream } = await client.send(
      new SubscribeToShardCommand({ ConsumerARN, ShardId, StartingPosition: { Type: 'TRIM_HORIZON' } }),
      { abortSignal: hangUp.signal },
    );
    for await (const { SubscribeToShardEvent: event } of EventStream ?? []) {
      seen += event?.Records?.length ?? 0;
      if (seen >= records) break;
    }
  });
  hangUp.abort();
  return seen / seconds;
}
