import {
  DescribeStreamSummaryCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import { getRecords } from './aws-get-records.ts';
import { systemClock } from '../runtime/clock.ts';
import { keepDate } from './aws-date.ts';
import { registerConsumer, subscribe } from './aws-fan-out.ts';
import { callOnce, patiently } from './aws-kinesis-call.ts';
import {
  fromReadFrom,
  fromShardFilter,
  given,
  toDescription,
  toPutOutcome,
  toShard,
} from './aws-kinesis-shapes.ts';
import type {
  Kinesis,
  PutEntry,
  PutOutcome,
  ReadFrom,
  ReadPage,
  Shard,
  ShardFilter,
  StreamDescription,
} from './kinesis.ts';

export { createKinesisClient, type KinesisClientOptions } from './kinesis-client.ts';

/**
 * The longest time for a call; after it, the call counts as `kinesis-unavailable`. Each is below the ten seconds
 * of a lease, so that a worker whose call hangs still has time to hand over what it holds.
 */
const putMs = 5_000;
/** A full page has 10 MiB. */
const readMs = 8_000;
const controlMs = 4_000;
const shardsPerPage = 1_000;

/**
 * Kinesis Data Streams through the SDK. Every failure is a KinesisError; a call whose signal aborts rejects with
 * the signal's reason. Control calls are repeated while their error is retryable, the others never.
 */
export function createAwsKinesis(client: KinesisClient): Kinesis {
  return new AwsKinesis(client);
}

class AwsKinesis implements Kinesis {
  readonly #client: KinesisClient;

  constructor(client: KinesisClient) {
    this.#client = client;
  }

  readonly describe = (stream: string, signal?: AbortSignal): Promise<StreamDescription> => {
    const what = `DescribeStreamSummary of ${stream}`;
    return patiently(signal, async () => {
      const command = new DescribeStreamSummaryCommand({ StreamName: stream });
      const dateMs = keepDate(command);
      const options = { what, timeoutMs: controlMs, signal };
      const output = await callOnce(options, (http) => this.#client.send(command, http));
      return toDescription(output, what, Number.isNaN(dateMs()) ? systemClock.now() : dateMs());
    });
  };

  readonly listShards = async (
    stream: string,
    filter?: ShardFilter,
    signal?: AbortSignal,
  ): Promise<readonly Shard[]> => {
    const options = { what: `ListShards of ${stream}`, timeoutMs: controlMs, signal };
    const shards: Shard[] = [];
    let token: string | undefined;
    do {
      // A token stands for the stream and the filter; the service refuses both beside it.
      const command = new ListShardsCommand({
        MaxResults: shardsPerPage,
        ...(token === undefined
          ? { StreamName: stream, ...(filter && { ShardFilter: fromShardFilter(filter) }) }
          : { NextToken: token }),
      });
      const page = await patiently(signal, () =>
        callOnce(options, (http) => this.#client.send(command, http)),
      );
      for (const shard of page.Shards ?? []) shards.push(toShard(shard, options.what));
      token = page.NextToken;
    } while (token);
    return shards;
  };

  readonly iterator = async (
    stream: string,
    shardId: string,
    from: ReadFrom,
    signal?: AbortSignal,
  ): Promise<string> => {
    const what = `GetShardIterator of ${stream} ${shardId}`;
    const { Type, Timestamp, SequenceNumber } = fromReadFrom(from);
    const command = new GetShardIteratorCommand({
      StreamName: stream,
      ShardId: shardId,
      ShardIteratorType: Type,
      Timestamp,
      StartingSequenceNumber: SequenceNumber,
    });
    const options = { what, timeoutMs: controlMs, signal, positional: true };
    const output = await callOnce(options, (http) => this.#client.send(command, http));
    return given(output.ShardIterator, what);
  };

  readonly read = async (
    stream: string,
    iterator: string,
    limit: number,
    signal?: AbortSignal,
  ): Promise<ReadPage> => {
    const what = `GetRecords of ${stream}`;
    return callOnce({ what, timeoutMs: readMs, signal }, (http) =>
      getRecords(this.#client, { iterator, limit }, { what, ...http }),
    );
  };

  readonly put = async (
    stream: string,
    entries: readonly PutEntry[],
    signal?: AbortSignal,
  ): Promise<readonly PutOutcome[]> => {
    const options = { what: `PutRecords to ${stream}`, timeoutMs: putMs, signal };
    const command = new PutRecordsCommand({
      StreamName: stream,
      Records: entries.map((entry) => ({
        PartitionKey: entry.partitionKey,
        ExplicitHashKey: entry.explicitHashKey,
        Data: entry.data,
      })),
    });
    const output = await callOnce(options, (http) => this.#client.send(command, http));
    return given(output.Records, options.what).map((entry) => toPutOutcome(entry, options.what));
  };

  readonly registerConsumer = async (stream: string, name: string, signal?: AbortSignal): Promise<string> => {
    const { arn } = await this.describe(stream, signal);
    return registerConsumer(this.#client, arn, name, signal);
  };

  readonly subscribe: Kinesis['subscribe'] = (consumerArn, shardId, from, signal, room) =>
    subscribe(this.#client, { consumerArn, shardId, from }, signal, room);
}
