import { integerOr, text } from '../../lib/runtime/config.ts';
import { commonSettings, defineService } from '../../lib/runtime/service.ts';

export const ingest = defineService({
  name: 'ingest',
  kind: 'http',
  summary: 'checks, stamps and accepts events; a receipt per event',
  settings: {
    ...commonSettings,
    INBOUND_STREAM: text('the Kinesis stream that accepted events go to'),
    IDEMPOTENCY_TABLE: text('the DynamoDB table of answers by Idempotency-Key'),
    MAX_EVENT_BYTES: integerOr(
      'the largest event that is accepted, bytes as it lies on the stream',
      { min: 1_024, max: 10_485_760 },
      1_048_576,
    ),
  },
});
