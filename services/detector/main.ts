import { GlueClient } from '@aws-sdk/client-glue';
import { consumeEvents } from '../../lib/consumer/consume-events.ts';
import { encodeJson } from '../../lib/event/codec-json.ts';
import { createGlueRegistry } from '../../lib/event/glue-registry.ts';
import { runService } from '../../lib/runtime/run-service.ts';
import { openStores } from '../../lib/stores/open-stores.ts';
import { createAwsKinesis, createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { createStampedWriter } from '../../lib/streams/stamped-writer.ts';
import { detector } from './config.ts';
import { createDetectorHandler } from './handler.ts';

await runService(detector, async (context) => {
  const { clock, config } = context;
  const region = config.AWS_REGION;
  const kinesis = createAwsKinesis(createKinesisClient({ region }));
  const stream = config.DERIVED_STREAM;
  const { maxRecordBytes } = await kinesis.describe(stream);
  const limits = { recordBytes: maxRecordBytes };
  return consumeEvents(context, {
    ...openStores(context),
    consumer: detector.name,
    streams: Object.values(config.OUTBOUND_STREAMS),
    leaseKeys: 'stream',
    kinesis,
    registry: createGlueRegistry(new GlueClient({ region }), config.SCHEMA_REGISTRY),
    handlerFor: () =>
      createDetectorHandler({
        threshold: config.HIGH_VALUE_THRESHOLD,
        encode: encodeJson,
        open: (source, startFloor) =>
          createStampedWriter({ kinesis, stream, source, startFloor, clock, random: Math.random, limits }),
      }),
  });
});
