import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { CoordinatorOptions } from '../leases/coordinator.ts';
import { createDynamoLeaseStore } from '../leases/dynamo-lease-table.ts';
import { createLeaseTable } from '../leases/lease-table.ts';
import { processIdentity } from '../leases/process-identity.ts';
import { leaseRequestMs } from '../leases/timings.ts';
import { systemClock } from '../runtime/clock.ts';
import { assert } from '../runtime/errors.ts';
import { createLog, type Log } from '../runtime/log.ts';
import { createAwsKinesis, createKinesisClient } from '../streams/aws-kinesis.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { ConsumerOptions } from './options.ts';
import type { ShardContext, ShardProcessor, StreamRecord } from './processor.ts';
import { type Consumer, type ConsumerSettings, createConsumer } from './run-consumer.ts';

export type HandleRecords = (records: readonly StreamRecord[], shard: ShardContext) => Promise<void>;

export interface ConsumeSettings {
  /** Names the consumer; all workers with this name share the shards. */
  readonly application: string;
  readonly region: string;
  readonly streams: readonly string[];
  /**
   * At least once, in order. Records are checkpointed after it has returned; when it throws the batch comes again,
   * and in the end its one bad record goes to `deadLetters`, or stops the shard.
   */
  readonly handle: HandleRecords;
  /** `APPLICATION-leases` by default. Made where it does not exist, unless `createTable` is false. */
  readonly leaseTable?: string;
  readonly createTable?: boolean;
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
    const consumer = consumerOf(settings, {
      kinesis: createAwsKinesis(kinesis),
      leaseStore: createDynamoLeaseStore({ client: dynamodb, tableName: leaseTable, requestMs }),
    });
    await consumer.run(signal);
  } finally {
    dynamodb.destroy();
    kinesis.destroy();
  }
}

function consumerOf(
  settings: ConsumeSettings,
  ports: Pick<ConsumerSettings, 'kinesis' | 'leaseStore'>,
): Consumer {
  const { application, deadLetters, handle, leases, log, onDiagnostic, options, streams } = settings;
  const workerId = settings.workerId ?? `${hostname()}-${randomUUID().slice(0, 8)}`;
  return createConsumer({
    ...ports,
    application,
    streams,
    workerId,
    processorFor: () => handlerProcessor(handle),
    deadLetters: deadLetters ?? nowhere,
    clock: systemClock,
    log: log ?? createLog('info', { application, worker: workerId }),
    options: { ...options, poison: deadLetters === undefined ? 'stop-shard' : 'dead-letter' },
    leases: { ...processIdentity(), ...leases },
    ...(onDiagnostic ? { onDiagnostic } : {}),
  });
}

const nowhere: DeadLetters = {
  put: async () => assert(false, 'A shard without dead letters stops at a record that cannot be handled'),
};

/** A processor without state of its own. */
function handlerProcessor(handle: HandleRecords): ShardProcessor {
  return { start: async () => {}, process: handle, flush: async () => ({}) };
}
