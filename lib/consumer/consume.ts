import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { CoordinatorOptions } from '../leases/coordinator.ts';
import { createDynamoLeaseStore } from '../leases/dynamo-lease-table.ts';
import { createDynamoKclTables } from '../leases/kcl3/dynamo-kcl-tables.ts';
import { createLeaseTable } from '../leases/lease-table.ts';
import { processIdentity } from '../leases/process-identity.ts';
import { leaseRequestMs } from '../leases/timings.ts';
import { systemClock } from '../runtime/clock.ts';
import { assert, ConfigError } from '../runtime/errors.ts';
import { createLog, type Log } from '../runtime/log.ts';
import { createAwsKinesis, createKinesisClient } from '../streams/aws-kinesis.ts';
import type { DeadLetters } from './dead-letters.ts';
import { laneProcessor } from './lanes.ts';
import { type ConsumerOptions, consumerOptions } from './options.ts';
import type { ShardContext, ShardProcessor, StreamRecord } from './processor.ts';
import { type Consumer, type ConsumerSettings, createConsumer } from './run-consumer.ts';

/** Records in work and waiting behind them: what a crash repeats, at most, beside what came since the checkpoint. */
const inFlightMax = 1_000;
/** Beside the byte budget, for each shard. */
const inFlightBytesMax = 8 * 1024 * 1024;

/**
 * Either way at least once and in order per partition key; records are checkpointed when they are done. What throws is
 * tried again; in the end the one bad record goes to `deadLetters`, or stops the shard.
 */
export type Handling =
  /** A batch after the other. */
  | { readonly handle: (records: readonly StreamRecord[], shard: ShardContext) => Promise<void> }
  /** Of each shard so many keys at once; a slow key does not hold up the others. */
  | {
      readonly handleEach: (record: StreamRecord, shard: ShardContext) => Promise<void>;
      readonly keysAtOnce: number;
    };

export type ConsumeSettings = Handling & CommonSettings;

interface CommonSettings {
  /** Names the consumer; all workers with this name share the shards. */
  readonly application: string;
  readonly region: string;
  readonly streams: readonly string[];
  /** `APPLICATION-leases` by default. Made where it does not exist, unless `createTable` is false. */
  readonly leaseTable?: string;
  readonly createTable?: boolean;
  /**
   * Of a fleet with workers of the Java KCL 3.0 to 3.4, whose tables beside the lease table are named after it. To be
   * granted then too: see createDynamoKclTables.
   */
  readonly kclApplication?: string;
  /** Unique in the fleet; random by default. One that is kept over restarts gets its leases back at once. */
  readonly workerId?: string;
  /** Without it a record that cannot be handled stops its shard: nothing is ever skipped. */
  readonly deadLetters?: DeadLetters;
  readonly options?: Partial<Omit<ConsumerOptions, 'poison'>>;
  readonly leases?: CoordinatorOptions;
  /** Otherwise JSON lines on stderr, from `info` up. */
  readonly log?: Log;
  readonly onDiagnostic?: ConsumerSettings['onDiagnostic'];
}

/**
 * Consumes this worker's share of the shards until `signal` aborts; then finishes what is in flight, hands the leases
 * over and resolves. Rejects as Consumer.run does, and with `lease-table-not-active`. Endpoints and credentials are
 * the SDK's (AWS_ENDPOINT_URL_KINESIS, AWS_ENDPOINT_URL_DYNAMODB, the default credential chain).
 */
export async function consume(settings: ConsumeSettings, signal: AbortSignal): Promise<void> {
  const { application, createTable = true, leaseTable = `${application}-leases`, region } = settings;
  const dynamodb = new DynamoDBClient({ region });
  const kinesis = createKinesisClient({ region });
  try {
    if (createTable) await createLeaseTable(dynamodb, leaseTable, systemClock, signal);
    const requestMs = leaseRequestMs(settings.leases?.failoverMs ?? 10_000);
    const old = settings.kclApplication === undefined ? {} : { application: settings.kclApplication };
    const consumer = consumerOf(settings, {
      kinesis: createAwsKinesis(kinesis),
      leaseStore: createDynamoLeaseStore({ client: dynamodb, tableName: leaseTable, requestMs }),
      kclTables: createDynamoKclTables({ client: dynamodb, leaseTable, requestMs, ...old }),
    });
    await consumer.run(signal);
  } finally {
    dynamodb.destroy();
    kinesis.destroy();
  }
}

function consumerOf(
  settings: ConsumeSettings,
  ports: Pick<ConsumerSettings, 'kclTables' | 'kinesis' | 'leaseStore'>,
): Consumer {
  const { application, leases, onDiagnostic, streams } = settings;
  const workerId = settings.workerId ?? `${hostname()}-${randomUUID().slice(0, 8)}`;
  const poison = settings.deadLetters === undefined ? 'stop-shard' : 'dead-letter';
  const options = consumerOptions({ ...settings.options, poison });
  checkKeys(settings);
  const deadLetters = settings.deadLetters ?? nowhere;
  return createConsumer({
    ...ports,
    application,
    streams,
    workerId,
    processorFor: () => processorFor(settings, options, deadLetters),
    deadLetters,
    clock: systemClock,
    log: settings.log ?? createLog('info', { application, worker: workerId }),
    options,
    leases: { ...processIdentity(), ...leases },
    ...(onDiagnostic ? { onDiagnostic } : {}),
  });
}

function checkKeys(settings: ConsumeSettings): void {
  if ('handle' in settings) return;
  const { keysAtOnce } = settings;
  if (Number.isInteger(keysAtOnce) && keysAtOnce >= 1 && keysAtOnce <= inFlightMax) return;
  const problem = `keysAtOnce = ${keysAtOnce}: give a whole number, 1 … ${inFlightMax}`;
  throw new ConfigError('Options of the consumer are wrong', [problem]);
}

const nowhere: DeadLetters = {
  put: async () => assert(false, 'A shard without dead letters stops at a record that cannot be handled'),
};

function processorFor(
  settings: ConsumeSettings,
  options: ConsumerOptions,
  deadLetters: DeadLetters,
): ShardProcessor {
  if ('handle' in settings) {
    return { start: async () => {}, process: settings.handle, flush: async () => ({}) };
  }
  return laneProcessor({
    application: settings.application,
    eachRecord: settings.handleEach,
    concurrency: settings.keysAtOnce,
    inFlightMax,
    inFlightBytesMax,
    deadLetters,
    options,
    clock: systemClock,
    random: Math.random,
  });
}
