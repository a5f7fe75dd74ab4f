import type { EnvironmentOf } from '../lib/runtime/config.ts';
import type { TableName } from '../lib/stores/tables.ts';
import { aggregator } from './aggregator/config.ts';
import { alerter } from './alerter/config.ts';
import { archiver } from './archiver/config.ts';
import { detector } from './detector/config.ts';
import { eventStore } from './event-store/config.ts';
import { ingest } from './ingest/config.ts';
import { query } from './query/config.ts';
import { router } from './router/config.ts';

/** Every service, in the order events travel. The deployment and the local supervisor both start from here. */
export const catalogue = {
  ingest,
  router,
  'event-store': eventStore,
  archiver,
  aggregator,
  alerter,
  detector,
  query,
} as const;

export type ServiceName = keyof typeof catalogue;
export const serviceNames = Object.keys(catalogue) as readonly ServiceName[];

/** Names of what the platform is made of. In the deployment some of them are Terraform expressions. */
export interface PlatformNames {
  readonly region: string;
  readonly environment: string;
  readonly inboundStream: string;
  /** JSON: name in flow/routes.yaml → name of the Kinesis stream. */
  readonly outboundStreams: string;
  readonly derivedStream: string;
  readonly lakeBucket: string;
  readonly busQueueUrl: string;
  readonly schemaRegistry: string;
  readonly table: (name: TableName) => string;
}

type Environments = { readonly [K in ServiceName]: EnvironmentOf<(typeof catalogue)[K]['settings']> };

/**
 * The environment variables of every service. One function for ECS and for the laptop: a setting that a service
 * declares and this forgets does not compile.
 */
export function environments(names: PlatformNames): Environments {
  const common = { AWS_REGION: names.region, ENVIRONMENT: names.environment };
  const worker = (leases: TableName) => ({
    ...common,
    LEASE_TABLE: names.table(leases),
    DEAD_LETTERS_TABLE: names.table('dead-letters'),
    LEDGER_TABLE: names.table('ledger'),
    LAKE_BUCKET: names.lakeBucket,
    SCHEMA_REGISTRY: names.schemaRegistry,
  });
  const outbound = { OUTBOUND_STREAMS: names.outboundStreams };
  const derived = { DERIVED_STREAM: names.derivedStream };
  return {
    ingest: {
      ...common,
      INBOUND_STREAM: names.inboundStream,
      IDEMPOTENCY_TABLE: names.table('idempotency'),
    },
    router: {
      ...worker('router-leases'),
      ...outbound,
      INBOUND_STREAM: names.inboundStream,
      BUS_QUEUE_URL: names.busQueueUrl,
      DEDUPE_TABLE: names.table('dedupe'),
    },
    'event-store': {
      ...worker('event-store-leases'),
      ...outbound,
      ...derived,
      EVENTS_TABLE: names.table('events'),
    },
    archiver: { ...worker('archiver-leases'), ...outbound, ...derived, BUS_QUEUE_URL: names.busQueueUrl },
    aggregator: { ...worker('aggregator-leases'), ...outbound, WINDOWS_TABLE: names.table('windows') },
    alerter: { ...worker('alerter-leases'), ...outbound, ALERTS_TABLE: names.table('alerts') },
    detector: { ...worker('detector-leases'), ...outbound, ...derived },
    query: {
      ...common,
      ...outbound,
      ...derived,
      INBOUND_STREAM: names.inboundStream,
      LAKE_BUCKET: names.lakeBucket,
      EVENTS_TABLE: names.table('events'),
      WINDOWS_TABLE: names.table('windows'),
      ALERTS_TABLE: names.table('alerts'),
      DEAD_LETTERS_TABLE: names.table('dead-letters'),
      LEDGER_TABLE: names.table('ledger'),
      LEASE_TABLES: leaseTables(names),
    },
  };
}

/** Built by hand and not with JSON.stringify, which would escape the expressions of a deployment. */
function leaseTables(names: PlatformNames): string {
  const workers = serviceNames.filter((name) => catalogue[name].kind === 'worker');
  return `{${workers.map((name) => `"${name}":"${names.table(`${name}-leases` as TableName)}"`).join(',')}}`;
}
