import { integerOr, text, textMap } from '../../lib/runtime/config.ts';
import { defineService, workerSettings } from '../../lib/runtime/service.ts';

export const aggregator = defineService({
  name: 'aggregator',
  kind: 'worker',
  summary: 'counts events in event-time windows; late is a verdict',
  settings: {
    ...workerSettings,
    OUTBOUND_STREAMS: textMap('the Kinesis streams of routed events, by name'),
    WINDOWS_TABLE: text('the DynamoDB table of windows'),
    IDLE_MS: integerOr(
      'how long a shard must be caught up and empty before it follows the clock',
      { min: 1_000, max: 3_600_000 },
      60_000,
    ),
  },
});
