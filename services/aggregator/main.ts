import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GlueClient } from '@aws-sdk/client-glue';
import { consumeEvents } from '../../lib/consumer/consume-events.ts';
import { createGlueRegistry } from '../../lib/event/glue-registry.ts';
import { parseWindowRules } from '../../lib/event/windows-rules.ts';
import { runService } from '../../lib/runtime/run-service.ts';
import { openStores } from '../../lib/stores/open-stores.ts';
import { createWindowStore } from '../../lib/stores/windows.ts';
import { createAwsKinesis, createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { aggregator } from './config.ts';
import { createAggregatorHandler } from './handler.ts';

await runService(aggregator, async (context) => {
  const { clock, config } = context;
  const region = config.AWS_REGION;
  const stores = openStores(context);
  const kinesis = createAwsKinesis(createKinesisClient({ region }));
  const file = join(config.FLOW_DIR, 'windows.yaml');
  const rules = parseWindowRules(await readFile(file, 'utf8'), file);
  const streams = Object.values(config.OUTBOUND_STREAMS);
  const windows = createWindowStore({ ...stores, table: config.WINDOWS_TABLE });
  const listShards = async (signal: AbortSignal): Promise<readonly string[]> => {
    const lists = await Promise.all(
      streams.map(async (stream) => {
        const shards = await kinesis.listShards(stream, undefined, signal);
        return shards.map(({ shardId }) => `${stream}/${shardId}`);
      }),
    );
    return lists.flat();
  };
  return consumeEvents(context, {
    ...stores,
    consumer: aggregator.name,
    streams,
    leaseKeys: 'stream',
    kinesis,
    registry: createGlueRegistry(new GlueClient({ region }), config.SCHEMA_REGISTRY),
    handlerFor: () =>
      createAggregatorHandler({
        definitions: rules.windows,
        windows,
        listShards,
        clock,
        idleMs: config.IDLE_MS,
      }),
  });
});
