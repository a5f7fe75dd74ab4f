import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GlueClient } from '@aws-sdk/client-glue';
import { SQSClient } from '@aws-sdk/client-sqs';
import { consumeEvents } from '../../lib/consumer/consume-events.ts';
import { createGlueRegistry } from '../../lib/event/glue-registry.ts';
import { parseRoutes } from '../../lib/event/routes.ts';
import { runService } from '../../lib/runtime/run-service.ts';
import { createBus } from '../../lib/stores/bus.ts';
import { createDedupeStore } from '../../lib/stores/dedupe.ts';
import { openStores } from '../../lib/stores/open-stores.ts';
import { createAwsKinesis, createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { router } from './config.ts';
import { createRouterHandler } from './handler.ts';
import { openOutlets } from './outlets.ts';

await runService(router, async (context) => {
  const { clock, config } = context;
  const region = config.AWS_REGION;
  const stores = openStores(context);
  const kinesis = createAwsKinesis(createKinesisClient({ region }));
  const registry = createGlueRegistry(new GlueClient({ region }), config.SCHEMA_REGISTRY);
  const file = join(config.FLOW_DIR, 'routes.yaml');
  const { rules, streams } = parseRoutes(await readFile(file, 'utf8'), file);
  const ports = { kinesis, registry, clock, random: Math.random };
  const outlets = await openOutlets(streams, config.OUTBOUND_STREAMS, ports);
  // The queue's URL names it; where it is served is the SDK's affair, as for every other service.
  const client = new SQSClient({ region, useQueueUrlAsEndpoint: false });
  const bus = createBus({ client, queueUrl: config.BUS_QUEUE_URL, clock });
  const dedupe = createDedupeStore({ ...stores, table: config.DEDUPE_TABLE });
  return consumeEvents(context, {
    ...stores,
    consumer: router.name,
    streams: [config.INBOUND_STREAM],
    leaseKeys: 'shard',
    kinesis,
    registry,
    handlerFor: () =>
      createRouterHandler({
        rules,
        outlets,
        bus,
        dedupe,
        deadLetters: stores.deadLetters,
        horizonMs: config.DEDUPE_HORIZON_MS,
      }),
  });
});
