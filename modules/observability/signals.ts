/**
 * What the platform measures from its own logs. Services log one JSON line per fact; a metric filter on each log
 * group makes it a number. So a service needs no right to CloudWatch, and the logs prove what the alarm saw.
 */
export interface Signal {
  /** Name of the metric. */
  readonly metric: string;
  /** The `message` of the log line. */
  readonly message: string;
  /** The field that holds the number; absent: lines are counted. */
  readonly field?: string;
  readonly what: string;
}

export const signals = {
  deadLetters: {
    metric: 'DeadLetters',
    message: 'record-dead-lettered',
    what: 'records that were set aside',
  },
  stoppedShards: {
    metric: 'StoppedShards',
    message: 'shard-stopped',
    what: 'shards whose reading was stopped on purpose',
  },
  dataLoss: {
    metric: 'DataLoss',
    message: 'data-loss',
    what: 'records that left the stream before anybody read them',
  },
  stalls: { metric: 'Stalls', message: 'progress-stalled', what: 'shards behind, where nothing comes' },
  lag: {
    metric: 'LagMs',
    message: 'consumer-lag',
    field: 'lagMsMax',
    what: 'how far the slowest shard of a consumer is behind',
  },
  unownedShards: {
    metric: 'UnownedShards',
    message: 'consumer-lag',
    field: 'unownedShards',
    what: 'shards that no worker holds',
  },
  ledgerDifference: {
    metric: 'LedgerDifference',
    message: 'ledger-audited',
    field: 'difference',
    what: 'events that the accounts of two neighbouring services do not agree on',
  },
} as const satisfies Readonly<Record<string, Signal>>;

/** Log lines of level error: those of a new release drive its rollback. */
export const errors: Signal = { metric: 'Errors', message: '*', what: 'log lines of level error' };

export type SignalName = keyof typeof signals;

/** The filter pattern of CloudWatch Logs for a signal. */
export function patternOf(signal: Signal): string {
  return signal === errors ? '{ $.level = "error" }' : `{ $.message = "${signal.message}" }`;
}

/** Which signals come from which service: worker services watch shards, query watches the accounts. */
export function signalsOf(kind: 'worker' | 'http', service: string): readonly Signal[] {
  const { deadLetters, stoppedShards, dataLoss, stalls, lag, unownedShards, ledgerDifference } = signals;
  if (kind === 'worker') return [errors, deadLetters, stoppedShards, dataLoss, stalls, lag, unownedShards];
  return service === 'query' ? [errors, ledgerDifference] : [errors];
}
