import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createDecoder } from '../event/codec.ts';
import type { SchemaRegistry } from '../event/schemas.ts';
import type { KeyFormat } from '../leases/stream-leases.ts';
import { createDynamoLeaseStore } from '../leases/dynamo-lease-table.ts';
import { processIdentity } from '../leases/process-identity.ts';
import { leaseRequestMs } from '../leases/timings.ts';
import type { Running, ServiceContext } from '../runtime/run-service.ts';
import type { workerSettings } from '../runtime/service.ts';
import type { Kinesis } from '../streams/kinesis.ts';
import type { DeadLetters } from './dead-letters.ts';
import { eventProcessor } from './event-processor.ts';
import type { EventHandler, Ledger } from './events.ts';
import type { ConsumerOptions } from './options.ts';
import { type Consumer, createConsumer } from './run-consumer.ts';

export interface EventConsumerPorts {
  /** The service's name: in dead letters, in the ledger and in metrics. */
  readonly consumer: string;
  readonly streams: readonly string[];
  /** `shard` for a service that will only ever read one stream. */
  readonly leaseKeys: KeyFormat;
  readonly kinesis: Kinesis;
  readonly dynamodb: DynamoDBClient;
  readonly registry: SchemaRegistry;
  readonly deadLetters: DeadLetters;
  readonly ledger: Ledger;
  /** A new handler for each acquisition of a shard. */
  readonly handlerFor: () => EventHandler;
  readonly options?: Partial<ConsumerOptions>;
}

/** Two points in each minute that an alarm looks at. */
const lagReportMs = 30_000;
/** A drain must be over before the service is: what is left of the stop's time closes the health port. */
const drainShare = 0.8;

/** A worker as its service runs it: leases in DynamoDB, events decoded, outcomes counted, shards seen on /readyz. */
export function consumeEvents(
  { config, clock, log, metrics }: ServiceContext<typeof workerSettings>,
  ports: EventConsumerPorts,
): Running {
  const { consumer: name, deadLetters, ledger } = ports;
  const decode = createDecoder(ports.registry);
  const outcomes = metrics.counter('consumer_events_total', 'Events by what became of them', ['outcome']);
  const happened = metrics.counter('consumer_diagnostics_total', 'What happened, by type', ['type']);
  const lag = metrics.gauge('consumer_lag_milliseconds', 'MillisBehindLatest', ['stream', 'shard']);
  const onOutcome = (outcome: string): void => outcomes.inc({ outcome });
  const consumer = createConsumer({
    application: name,
    workerId: config.WORKER_ID || `${hostname()}-${randomUUID().slice(0, 8)}`,
    streams: ports.streams,
    kinesis: ports.kinesis,
    leaseStore: createDynamoLeaseStore({
      client: ports.dynamodb,
      tableName: config.LEASE_TABLE,
      requestMs: leaseRequestMs(config.FAILOVER_MS),
    }),
    processorFor: () =>
      eventProcessor({
        consumer: name,
        handler: ports.handlerFor(),
        decode,
        deadLetters,
        ledger,
        clock,
        onOutcome,
      }),
    deadLetters,
    clock,
    log,
    options: { pollMs: config.POLL_MS, checkpointMs: config.CHECKPOINT_MS, ...ports.options },
    leases: {
      failoverMs: config.FAILOVER_MS,
      stopMs: config.STOP_TIMEOUT_MS * drainShare,
      keyFormat: ports.leaseKeys,
      ...processIdentity(),
    },
    onDiagnostic: ({ type }) => {
      happened.inc({ type });
      if (type === 'checkpointed') showLag(consumer, (labels, lagMs) => lag.set(labels, lagMs));
    },
  });
  return {
    run: async (signal) => {
      const reported = reportLag(consumer, { clock, log }, signal);
      await consumer.run(signal);
      await reported;
    },
    unready: () => whyStopped(consumer),
  };
}

/** One line that alarms and the fleet's scaling are made from: the slowest shard here, and shards without an owner. */
async function reportLag(
  consumer: Consumer,
  { clock, log }: Pick<ServiceContext<typeof workerSettings>, 'clock' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const lags = consumer.snapshot().map(({ lagMs }) => lagMs ?? 0);
    log.info('consumer-lag', { lagMsMax: Math.max(0, ...lags), unownedShards: consumer.unowned() });
    await clock.sleep(lagReportMs, signal);
  }
}

function showLag(
  consumer: Consumer,
  set: (labels: { stream: string; shard: string }, lagMs: number) => void,
): void {
  for (const { stream, shardId, lagMs } of consumer.snapshot()) {
    if (lagMs !== undefined) set({ stream, shard: shardId }, lagMs);
  }
}

function whyStopped(consumer: Consumer): string | undefined {
  const stopped = consumer.snapshot().find(({ state }) => state === 'stopped');
  return (
    stopped && `shard ${stopped.shardId} of ${stopped.stream} is stopped: ${stopped.failure?.message ?? ''}`
  );
}
