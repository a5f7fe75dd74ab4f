import { integerOr, text, textMap } from '../../lib/runtime/config.ts';
import { defineService, workerSettings } from '../../lib/runtime/service.ts';

export const archiver = defineService({
  name: 'archiver',
  kind: 'worker',
  summary: 'writes the data lake exactly once, with manifests',
  settings: {
    ...workerSettings,
    OUTBOUND_STREAMS: textMap('the Kinesis streams of routed events, by name'),
    DERIVED_STREAM: text('the Kinesis stream of derived events'),
    BUS_QUEUE_URL: text('the SQS queue that is told of each archived range'),
    ARCHIVE_MAX_BYTES: integerOr(
      'bytes of records after which a range is cut',
      { min: 65_536, max: 268_435_456 },
      33_554_432,
    ),
    ARCHIVE_MAX_MS: integerOr('time after which a range is cut', { min: 500, max: 3_600_000 }, 300_000),
  },
});
