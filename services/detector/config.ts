import { decimalOr, text, textMap } from '../../lib/runtime/config.ts';
import { defineService, workerSettings } from '../../lib/runtime/service.ts';

export const detector = defineService({
  name: 'detector',
  kind: 'worker',
  summary: 'puts derived events on the derived stream',
  settings: {
    ...workerSettings,
    OUTBOUND_STREAMS: textMap('the Kinesis streams of routed events, by name'),
    DERIVED_STREAM: text('the Kinesis stream of derived events'),
    HIGH_VALUE_THRESHOLD: decimalOr(
      'the amount from which a PURCHASE is of high value',
      { min: 0, max: 1e12 },
      1_000,
    ),
  },
});
