import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  PutRecordsCommand,
  type CreateStreamCommandInput,
  type GetRecordsCommandOutput,
  type GetShardIteratorCommandInput,
  type KinesisClient,
  type PutRecordsResultEntry,
  type Shard,
  type StreamDescriptionSummary,
} from '@aws-sdk/client-kinesis';
import { uniqueName } from './peers.ts';

/** Looks at a stream that is being changed; a peer that needs more of them is stuck. */
const LOOKS_MAX = 200;
/** A peer is as slow as it is asked often: kinesis-local changes nothing while it answers without a pause. */
const LOOK_PAUSE_MS = 10;

/** The service has two names for a bad argument, and its documentation does not say which constraint gets which. */
export const invalid = ['ValidationException', 'InvalidArgumentException'];

/** A stream of its own for one rule, ready to be used. */
export async function newStream(
  client: KinesisClient,
  shards = 1,
  more: Partial<CreateStreamCommandInput> = {},
): Promise<string> {
  const StreamName = uniqueName('stream');
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: shards, ...more }));
  await active(client, StreamName);
  return StreamName;
}

export function active(client: KinesisClient, StreamName: string): Promise<void> {
  return until(async () => (await summary(client, StreamName)).StreamStatus === 'ACTIVE');
}

/** Looks again and again, since no peer tells when a change is through. */
export async function until(done: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_PAUSE_MS));
  }
  throw new Error(`what was awaited did not happen in ${LOOKS_MAX} looks`);
}

export async function summary(client: KinesisClient, StreamName: string): Promise<StreamDescriptionSummary> {
  const { StreamDescriptionSummary: found } = await client.send(
    new DescribeStreamSummaryCommand({ StreamName }),
  );
  return found!;
}

export async function shardsOf(client: KinesisClient, StreamName: string): Promise<readonly Shard[]> {
  const { Shards } = await client.send(new ListShardsCommand({ StreamName }));
  return Shards!;
}

export async function openShardsOf(client: KinesisClient, StreamName: string): Promise<readonly Shard[]> {
  const all = await shardsOf(client, StreamName);
  return all.filter((shard) => shard.SequenceNumberRange?.EndingSequenceNumber === undefined);
}

/** Puts each text under itself as partition key, or under `key`. */
export async function put(
  client: KinesisClient,
  StreamName: string,
  texts: readonly string[],
  key?: { readonly ExplicitHashKey: string },
): Promise<readonly PutRecordsResultEntry[]> {
  const Records = texts.map((text) => ({ PartitionKey: text, Data: Buffer.from(text), ...key }));
  const { Records: outcomes } = await client.send(new PutRecordsCommand({ StreamName, Records }));
  return outcomes!;
}

export async function iterator(
  client: KinesisClient,
  StreamName: string,
  from: Omit<GetShardIteratorCommandInput, 'StreamName' | 'ShardId'> & { readonly ShardId?: string },
): Promise<string> {
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({ StreamName, ShardId: shardId(0), ...from }),
  );
  return ShardIterator!;
}

export function read(
  client: KinesisClient,
  ShardIterator: string,
  Limit?: number,
): Promise<GetRecordsCommandOutput> {
  return client.send(new GetRecordsCommand({ ShardIterator, ...(Limit === undefined ? {} : { Limit }) }));
}

/** Everything a shard has, from its beginning. */
export async function textsIn(
  client: KinesisClient,
  StreamName: string,
  ShardId = shardId(0),
): Promise<string[]> {
  const from = await iterator(client, StreamName, { ShardId, ShardIteratorType: 'TRIM_HORIZON' });
  return textsOf(await read(client, from));
}

export function textsOf(page: {
  readonly Records?: readonly { readonly Data?: Uint8Array | undefined }[] | undefined;
}): string[] {
  return (page.Records ?? []).map((record) => Buffer.from(record.Data ?? []).toString());
}

export function shardId(index: number): string {
  return `shardId-${String(index).padStart(12, '0')}`;
}
