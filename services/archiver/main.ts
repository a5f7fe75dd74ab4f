import { GlueClient } from '@aws-sdk/client-glue';
import { SQSClient } from '@aws-sdk/client-sqs';
import { consumeEvents } from '../../lib/consumer/consume-events.ts';
import { createGlueRegistry } from '../../lib/event/glue-registry.ts';
import { runService } from '../../lib/runtime/run-service.ts';
import { createBus } from '../../lib/stores/bus.ts';
import { openStores } from '../../lib/stores/open-stores.ts';
import { createAwsKinesis, createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { archiver } from './config.ts';
import { createArchiverHandler } from './handler.ts';

await runService(archiver, async (context) => {
  const { clock, config } = context;
  const region = config.AWS_REGION;
  const stores = openStores(context);
  // The queue's URL names it; where it is served is the SDK's affair, as for every other service.
  const client = new SQSClient({ region, useQueueUrlAsEndpoint: false });
  const bus = createBus({ client, queueUrl: config.BUS_QUEUE_URL, clock });
  return consumeEvents(context, {
    ...stores,
    consumer: archiver.name,
    streams: [...Object.values(config.OUTBOUND_STREAMS), config.DERIVED_STREAM],
    leaseKeys: 'stream',
    kinesis: createAwsKinesis(createKinesisClient({ region })),
    registry: createGlueRegistry(new GlueClient({ region }), config.SCHEMA_REGISTRY),
    // Every checkpoint is a cut, so checkpoints are as rare as ranges.
    options: { checkpointMs: config.ARCHIVE_MAX_MS },
    handlerFor: () =>
      createArchiverHandler({
        objects: stores.objects,
        bus,
        clock,
        rangeBytesMax: config.ARCHIVE_MAX_BYTES,
        rangeMsMax: config.ARCHIVE_MAX_MS,
      }),
  });
});
