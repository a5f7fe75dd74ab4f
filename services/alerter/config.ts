import { integerOr, text, textMap } from '../../lib/runtime/config.ts';
import { defineService, workerSettings } from '../../lib/runtime/service.ts';

export const alerter = defineService({
  name: 'alerter',
  kind: 'worker',
  summary: 'keeps events of severity high and critical, per city',
  settings: {
    ...workerSettings,
    OUTBOUND_STREAMS: textMap('the Kinesis streams of routed events, by name'),
    ALERTS_TABLE: text('the DynamoDB table of alerts'),
    ALERTS_TTL_DAYS: integerOr('days until an alert is removed from the table', { min: 1, max: 3_650 }, 30),
  },
});
