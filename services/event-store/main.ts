import { GlueClient } from '@aws-sdk/client-glue';
import { consumeEvents } from '../../lib/consumer/consume-events.ts';
import { createGlueRegistry } from '../../lib/event/glue-registry.ts';
import { runService } from '../../lib/runtime/run-service.ts';
import { createEventStore } from '../../lib/stores/events.ts';
import { openStores } from '../../lib/stores/open-stores.ts';
import { createAwsKinesis, createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { eventStore } from './config.ts';
import { createEventStoreHandler } from './handler.ts';

await runService(eventStore, async (context) => {
  const { config } = context;
  const region = config.AWS_REGION;
  const stores = openStores(context);
  const events = createEventStore({ ...stores, table: config.EVENTS_TABLE });
  return consumeEvents(context, {
    ...stores,
    consumer: eventStore.name,
    streams: [...Object.values(config.OUTBOUND_STREAMS), config.DERIVED_STREAM],
    leaseKeys: 'stream',
    kinesis: createAwsKinesis(createKinesisClient({ region })),
    registry: createGlueRegistry(new GlueClient({ region }), config.SCHEMA_REGISTRY),
    handlerFor: () => createEventStoreHandler({ events, ttlDays: config.EVENTS_TTL_DAYS }),
  });
});
