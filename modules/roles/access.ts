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

/** Reading a stream by polling: what it is like, its shards, their records. */
const read = [
  'kinesis:DescribeStreamSummary',
  'kinesis:ListShards',
  'kinesis:GetShardIterator',
  'kinesis:GetRecords',
];
/** Writing: the largest record the stream takes, then records. */
const write = ['kinesis:DescribeStreamSummary', 'kinesis:PutRecords'];

/** Lease tables are made by Terraform: no worker may create or change one. */
const leases = [
  'dynamodb:GetItem',
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:Scan',
];

/** What every lease-holding worker needs besides its own work. Bodies of large records go to the lake. */
function worker(leaseTable: TableName, from: readonly StreamNoun[]): readonly Grant[] {
  return [
    { actions: read, on: streams(...from) },
    { actions: leases, on: table(leaseTable) },
    // Apart, as it alone reaches the index by owner too.
    { actions: ['dynamodb:Query'], on: table(leaseTable) },
    { actions: ['dynamodb:PutItem'], on: table('dead-letters', 'ledger') },
    { actions: ['s3:PutObject'], on: [{ type: 'lake' }] },
    { actions: ['glue:GetSchemaVersion'], on: [{ type: 'registry' }] },
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

/** The rights of every service. test/infra/least-privilege.test.ts compares them with what its code can call. */
export const access: Readonly<Record<ServiceName, readonly Grant[]>> = {
  ingest: [
    { actions: ['kinesis:PutRecords'], on: streams('inbound') },
    { actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'], on: table('idempotency') },
  ],
  router: [
    ...worker('router-leases', reads.router),
    { actions: write, on: streams('outbound') },
    { actions: ['glue:GetSchemaByDefinition'], on: [{ type: 'registry' }] },
    { actions: ['sqs:SendMessage'], on: [{ type: 'bus' }] },
    { actions: ['dynamodb:PutItem', 'dynamodb:Query'], on: table('dedupe') },
  ],
  'event-store': [
    ...worker('event-store-leases', reads['event-store']),
    { actions: ['dynamodb:BatchWriteItem'], on: table('events') },
  ],
  archiver: [
    ...worker('archiver-leases', reads.archiver),
    { actions: ['s3:GetObject'], on: [{ type: 'lake' }] },
    { actions: ['sqs:SendMessage'], on: [{ type: 'bus' }] },
  ],
  aggregator: [
    ...worker('aggregator-leases', reads.aggregator),
    {
      actions: [
        'dynamodb:GetItem',
        'dynamodb:BatchGetItem',
        'dynamodb:PutItem',
        'dynamodb:BatchWriteItem',
        'dynamodb:Query',
      ],
      on: table('windows'),
    },
  ],
  alerter: [
    ...worker('alerter-leases', reads.alerter),
    { actions: ['dynamodb:BatchWriteItem'], on: table('alerts') },
  ],
  detector: [...worker('detector-leases', reads.detector), { actions: write, on: streams('derived') }],
  query: [
    {
      actions: ['kinesis:ListShards', 'kinesis:GetShardIterator', 'kinesis:GetRecords'],
      on: streams('inbound', 'outbound', 'derived'),
    },
    {
      actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:Scan'],
      on: table('events'),
    },
    { actions: ['dynamodb:Query', 'dynamodb:Scan'], on: table('alerts') },
    { actions: ['dynamodb:Query'], on: table('windows') },
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
    { actions: ['s3:GetObject'], on: [{ type: 'lake' }] },
  ],
};
