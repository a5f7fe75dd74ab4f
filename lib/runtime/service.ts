import { integerOr, oneOf, text, textOr, type Settings } from './config.ts';

/** What the deployment and the laptop both need to know of a service; one per `services/NAME/config.ts`. */
export interface ServiceDefinition<S extends Settings = Settings> {
  readonly name: string;
  /** `worker` holds leases and has a health port only; `http` is reached through the load balancer. */
  readonly kind: 'worker' | 'http';
  readonly summary: string;
  readonly settings: S;
}

/** Settings that every service has. */
export const commonSettings = {
  AWS_REGION: text('the AWS region of the platform, e.g. eu-central-1'),
  ENVIRONMENT: text('the name of this installation, e.g. dev'),
  PORT: integerOr(
    'the port of /healthz, /readyz, /metrics and, for http services, of the API',
    { min: 0, max: 65_535 },
    8080,
  ),
  HOST: textOr('the address to listen on', '0.0.0.0'),
  LOG_LEVEL: oneOf('the least severe level that is logged', ['error', 'warn', 'info', 'debug'], 'info'),
  FLOW_DIR: textOr('the folder of routes, windows, schemas and mappings', 'flow'),
  STOP_TIMEOUT_MS: integerOr(
    'how long a stop may drain before it is cut short',
    { min: 1_000, max: 118_000 },
    100_000,
  ),
} as const;

/** Settings of every worker that holds leases. */
export const workerSettings = {
  ...commonSettings,
  LEASE_TABLE: text("the DynamoDB table of this service's leases"),
  DEAD_LETTERS_TABLE: text('the DynamoDB table of dead letters'),
  LAKE_BUCKET: text('the S3 bucket of the lake (bodies of large dead letters go there too)'),
  SCHEMA_REGISTRY: text('the Glue schema registry of the events'),
  LEDGER_TABLE: text('the DynamoDB table of the ledger'),
  WORKER_ID: textOr('a name for this process in the lease table; empty: made of host and a random part', ''),
  FAILOVER_MS: integerOr('how long a silent worker keeps its leases', { min: 1_000, max: 300_000 }, 10_000),
  CHECKPOINT_MS: integerOr(
    'the longest time between two checkpoints of a shard under traffic',
    { min: 100, max: 60_000 },
    3_000,
  ),
  POLL_MS: integerOr(
    'the pause between two reads of a shard that is caught up',
    { min: 200, max: 60_000 },
    1_000,
  ),
} as const;

export function defineService<const S extends Settings>(
  definition: ServiceDefinition<S>,
): ServiceDefinition<S> {
  return definition;
}
