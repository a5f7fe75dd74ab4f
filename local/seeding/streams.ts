import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis';
import type { PlatformNames } from '../../services/catalogue.ts';
import { type Step, unlessThere, untilActive } from './steps.ts';

/** Shards of the inbound stream, of each outbound stream and of the derived stream. */
export interface ShardCounts {
  readonly inbound: number;
  readonly outbound: number;
  readonly derived: number;
}

/** A stream that is there keeps the shards it has. */
export function streamSteps(
  client: KinesisClient,
  names: PlatformNames,
  shards: ShardCounts,
  signal: AbortSignal,
): readonly Step[] {
  const outbound = Object.values(JSON.parse(names.outboundStreams) as Record<string, string>);
  const wanted: readonly (readonly [name: string, shardCount: number])[] = [
    [names.inboundStream, shards.inbound],
    ...outbound.map((name) => [name, shards.outbound] as const),
    [names.derivedStream, shards.derived],
  ];
  return wanted.map(([StreamName, ShardCount]) => {
    const create = async (): Promise<void> => {
      const command = new CreateStreamCommand({ StreamName, ShardCount });
      await unlessThere('ResourceInUseException', client.send(command, { abortSignal: signal }));
      await untilActive(async () => {
        const described = await client.send(new DescribeStreamSummaryCommand({ StreamName }), {
          abortSignal: signal,
        });
        return described.StreamDescriptionSummary?.StreamStatus;
      }, signal);
    };
    return { what: `stream ${StreamName}`, done: create() };
  });
}
