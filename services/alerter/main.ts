import { GlueClient } from '@aws-sdk/client-glue';
import { consumeEvents } from '../../lib/consumer/consume-events.ts';
import { createGlueRegistry } from '../../lib/event/glue-registry.ts';
import { runService } from '../../lib/runtime/run-service.ts';
import { createAlertStore } from '../../lib/stores/alerts.ts';
import { openStores } from '../../lib/stores/open-stores.ts';
import { createAwsKinesis, createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { alerter } from './config.ts';
import { createAlerterHandler } from './handler.ts';

await runService(alerter, async (context) => {
  const { config } = context;
  const region = config.AWS_REGION;
  const stores = openStores(context);
  const alerts = createAlertStore({ ...stores, table: config.ALERTS_TABLE });
  return consumeEvents(context, {
    ...stores,
    consumer: alerter.name,
    streams: Object.values(config.OUTBOUND_STREAMS),
    leaseKeys: 'stream',
    kinesis: createAwsKinesis(createKinesisClient({ region })),
    registry: createGlueRegistry(new GlueClient({ region }), config.SCHEMA_REGISTRY),
    handlerFor: () => createAlerterHandler({ alerts, ttlDays: config.ALERTS_TTL_DAYS }),
  });
});
