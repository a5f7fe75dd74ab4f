import { text, textMap } from '../../lib/runtime/config.ts';
import { commonSettings, defineService } from '../../lib/runtime/service.ts';

export const query = defineService({
  name: 'query',
  kind: 'http',
  summary: 'REST API and dashboard over the tables',
  settings: {
    ...commonSettings,
    INBOUND_STREAM: text('the Kinesis stream of accepted events'),
    OUTBOUND_STREAMS: textMap('the Kinesis streams of routed events, by name'),
    DERIVED_STREAM: text('the Kinesis stream of derived events'),
    LAKE_BUCKET: text('the S3 bucket of the lake, for events too large for the table'),
    EVENTS_TABLE: text('the DynamoDB table of events'),
    WINDOWS_TABLE: text('the DynamoDB table of windows'),
    ALERTS_TABLE: text('the DynamoDB table of alerts'),
    DEAD_LETTERS_TABLE: text('the DynamoDB table of dead letters'),
    LEDGER_TABLE: text('the DynamoDB table of the ledger'),
    LEASE_TABLES: textMap('the lease table of each worker, by service name'),
  },
});
