import type { RawClient } from './raw-client.ts';

export const RECORD_BYTES = 300;
export const RECORDS_PER_CALL = 500;
/** Calls in flight: enough to keep a server busy, few enough for two cores. */
const CALLS_IN_FLIGHT = 4;
/** Different calls that are rendered beforehand and sent over and over. */
const BODIES = 20;
const MARK = Buffer.from('"SequenceNumber"');

export const STREAM = 'bench';
const SHARD = 'shardId-000000000000';

export async function createStream(client: RawClient): Promise<void> {
  await client.call('CreateStream', json({ StreamName: STREAM, ShardCount: 1 }));
  for (;;) {
    const answer = await client.call('DescribeStreamSummary', json({ StreamName: STREAM }));
    if (answer.includes('"ACTIVE"')) return;
  }
}

/** Puts at least `records` records and returns records per second. */
export async function putAll(client: RawClient, records: number): Promise<number> {
  const bodies = Array.from({ length: BODIES }, (_, i) => putBody(i * RECORDS_PER_CALL));
  const calls = Math.ceil(records / RECORDS_PER_CALL);
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (sent < calls) {
      const body = bodies[sent % BODIES] as Buffer;
      sent += 1;
      const answer = await client.call('PutRecords', body);
      if (!answer.includes('"FailedRecordCount":0')) throw new Error('PutRecords refused records');
    }
  };
  const seconds = await timed(() => Promise.all(Array.from({ length: CALLS_IN_FLIGHT }, lane)));
  return (calls * RECORDS_PER_CALL) / seconds;
}

/** Reads `records` records from the beginning and returns records per second. */
export async function readAll(client: RawClient, records: number): Promise<number> {
  let iterator = await iteratorAt(client, 'TRIM_HORIZON');
  let seen = 0;
  const seconds = await timed(async () => {
    while (seen < records) {
      const answer = await client.call('GetRecords', json({ ShardIterator: iterator, Limit: 10_000 }));
      seen += countIn(answer);
      iterator = nextIterator(answer);
    }
  });
  return seen / seconds;
}

/** The times of single GetRecords at the tip, in milliseconds. */
export async function emptyReads(client: RawClient, calls: number): Promise<readonly number[]> {
  const body = json({ ShardIterator: await iteratorAt(client, 'LATEST'), Limit: 10_000 });
  const times: number[] = [];
  for (let i = 0; i < calls; i += 1) times.push((await timed(() => client.call('GetRecords', body))) * 1000);
  return times;
}

/** Subscribes from the beginning until `records` records came; records per second, the call itself included. */
export async function subscribeAll(client: RawClient, records: number): Promise<number> {
  const described = await client.call('DescribeStreamSummary', json({ StreamName: STREAM }));
  const StreamARN = /"StreamARN":"([^"]+)"/.exec(described.toString())?.[1];
  await client.call('RegisterStreamConsumer', json({ StreamARN, ConsumerName: 'bench' }));
  const ConsumerARN = await activeConsumer(client, StreamARN);
  const body = json({ ConsumerARN, ShardId: SHARD, StartingPosition: { Type: 'TRIM_HORIZON' } });
  let seen = 0;
  let tail = Buffer.alloc(0);
  const seconds = await timed(() =>
    client.stream('SubscribeToShard', body, (chunk) => {
      const bytes = Buffer.concat([tail, chunk]);
      seen += countIn(bytes);
      // A mark may be cut in two; what is kept is too short to hold a whole one.
      tail = bytes.subarray(-(MARK.length - 1));
      return seen >= records;
    }),
  );
  return seen / seconds;
}

export function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

async function activeConsumer(client: RawClient, StreamARN: string | undefined): Promise<string | undefined> {
  for (;;) {
    const answer = await client.call('DescribeStreamConsumer', json({ StreamARN, ConsumerName: 'bench' }));
    if (answer.includes('"ACTIVE"')) return /"ConsumerARN":"([^"]+)"/.exec(answer.toString())?.[1];
  }
}

async function iteratorAt(client: RawClient, ShardIteratorType: string): Promise<string> {
  const of = { StreamName: STREAM, ShardId: SHARD, ShardIteratorType };
  const answer = await client.call('GetShardIterator', json(of));
  return (JSON.parse(answer.toString()) as { readonly ShardIterator: string }).ShardIterator;
}

function nextIterator(answer: Buffer): string {
  const at = answer.lastIndexOf('"NextShardIterator":"') + '"NextShardIterator":"'.length;
  return answer.subarray(at, answer.indexOf('"', at)).toString();
}

function countIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, at + 1)) count += 1;
  return count;
}

function putBody(first: number): Buffer {
  const Records = Array.from({ length: RECORDS_PER_CALL }, (_, i) => ({
    PartitionKey: `key-${first + i}`,
    Data: Buffer.alloc(RECORD_BYTES, (first + i) % 256).toString('base64'),
  }));
  return json({ StreamName: STREAM, Records });
}
