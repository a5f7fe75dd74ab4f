import { integerOr, text, textMap } from '../../lib/runtime/config.ts';
import { defineService, workerSettings } from '../../lib/runtime/service.ts';

export const router = defineService({
  name: 'router',
  kind: 'worker',
  summary: 'sends each event where the rules say; drops repeats of an event id',
  settings: {
    ...workerSettings,
    INBOUND_STREAM: text('the Kinesis stream to route from'),
    OUTBOUND_STREAMS: textMap('the Kinesis streams to route to, by the name that flow/routes.yaml uses'),
    BUS_QUEUE_URL: text('the SQS queue of the bus'),
    DEDUPE_TABLE: text('the DynamoDB table of routed event ids'),
    DEDUPE_HORIZON_MS: integerOr(
      'how long a repeated event id is recognised, by arrival',
      { min: 60_000, max: 86_400_000 },
      3_600_000,
    ),
  },
});
