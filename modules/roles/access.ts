import type { TableName } from '../../lib/stores/tables.ts';
import type { ServiceName } from '../../services/catalogue.ts';

export type StreamNoun = 'inbound' | 'outbound' | 'derived';

/** What a service may reach: the name of a thing of the platform, never a star. */
export type Target =
  | { readonly type: 'stream'; readonly stream: StreamNoun }
  | { readonly type: 'table'; readonly table: TableName }
  | { readonly type: 'lake' }
  | { readonly type: 'bus' }
  | { readonly type: 'registry' };

export interface Grant {
  readonly actions: readonly string[];
  readonly on: readonly Target[];
}

const streams = (...nouns: readonly StreamNoun[]): readonly Target[] =>
  nouns.map((stream) => ({ type: 'stream', stream }));
const table = (...names: readonly TableName[]): readonly Target[] =>
  names.map((name) => ({ type: 'table', table: name }));

/** Reading a stream by polling. */
const read = [
  'kinesis:DescribeStreamSummary',
  'kinesis:ListShards',
  'kinesis:GetShardIterator',
  'kinesis:GetRecords',
];
const write = ['kinesis:PutRecords'];

/** Lease tables are made by Terraform: no worker may create or change one. */
const leases = [
  'dynamodb:GetItem',
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:Scan',
];

/** What every lease-holding worker needs besides its own work. */
function worker(leaseTable: TableName, reads: readonly StreamNoun[]): readonly Grant[] {
  return [
    { actions: read, on: streams(...reads) },
    { actions: leases, on: table(leaseTable) },
    { actions: ['dynamodb:PutItem'], on: table('dead-letters', 'ledger') },
    { actions: ['s3:PutObject'], on: [{ type: 'lake' }] },
    { actions: ['glue:GetSchemaVersion', 'glue:GetSchemaByDefinition'], on: [{ type: 'registry' }] },
  ];
}

/** The streams that each worker holds leases of; also the limit of its number of tasks. */
export const reads = {
  router: ['inbound'],
  'event-store': ['outbound', 'derived'],
  archiver: ['outbound', 'derived'],
  aggregator: ['outbound'],
  alerter: ['outbound'],
  detector: ['outbound'],
} as const satisfies Partial<Record<ServiceName, readonly StreamNoun[]>>;

/** The rights of every service, least first. test/infra/least-privilege.test.ts compares them with the code. */
export const access: Readonly<Record<ServiceName, readonly Grant[]>> = {
  ingest: [
    { actions: write, on: streams('inbound') },
    { actions: ['dynamodb:GetItem', 'dynamodb:PutItem'], on: table('idempotency') },
  ],
  router: [
    ...worker('router-leases', reads.router),
    { actions: write, on: streams('outbound') },
    { actions: ['sqs:SendMessage'], on: [{ type: 'bus' }] },
    { actions: ['dynamodb:PutItem', 'dynamodb:Query'], on: table('dedupe') },
  ],
  'event-store': [
    ...worker('event-store-leases', reads['event-store']),
    { actions: ['dynamodb:PutItem'], on: table('events') },
  ],
  archiver: [
    ...worker('archiver-leases', reads.archiver),
    { actions: ['s3:GetObject'], on: [{ type: 'lake' }] },
    { actions: ['sqs:SendMessage'], on: [{ type: 'bus' }] },
  ],
  aggregator: [
    ...worker('aggregator-leases', reads.aggregator),
    { actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query'], on: table('windows') },
  ],
  alerter: [
    ...worker('alerter-leases', reads.alerter),
    { actions: ['dynamodb:PutItem'], on: table('alerts') },
  ],
  detector: [...worker('detector-leases', reads.detector), { actions: write, on: streams('derived') }],
  query: [
    {
      actions: ['kinesis:DescribeStreamSummary', 'kinesis:ListShards'],
      on: streams('inbound', 'outbound', 'derived'),
    },
    {
      actions: ['dynamodb:GetItem', 'dynamodb:Query'],
      on: table('events', 'windows', 'alerts', 'dead-letters', 'ledger'),
    },
    {
      actions: ['dynamodb:Scan'],
      on: table(
        'router-leases',
        'event-store-leases',
        'archiver-leases',
        'aggregator-leases',
        'alerter-leases',
        'detector-leases',
      ),
    },
  ],
};
