import { integerOr, text, textMap } from '../../lib/runtime/config.ts';
import { defineService, workerSettings } from '../../lib/runtime/service.ts';

export const eventStore = defineService({
  name: 'event-store',
  kind: 'worker',
  summary: 'keeps every event, findable by id, city, type and time',
  settings: {
    ...workerSettings,
    OUTBOUND_STREAMS: textMap('the Kinesis streams of routed events, by name'),
    DERIVED_STREAM: text('the Kinesis stream of derived events'),
    EVENTS_TABLE: text('the DynamoDB table of events'),
    EVENTS_TTL_DAYS: integerOr('days until an event is removed from the table', { min: 1, max: 3_650 }, 30),
  },
});
