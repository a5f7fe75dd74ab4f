import type { ServiceName } from '../../../services/catalogue.ts';

/**
 * Actions that a service's code can reach but does not ask for, each with the reason. An adapter has every verb of its
 * port; a service that calls one verb brings the others along. A right that is added here is a right not granted.
 */
const onlyPuts = 'ingest only puts; the Kinesis adapter has every verb';
const polls = 'shards are polled; fan-out is not switched on by any setting';
const noWriter = 'this consumer writes to no stream; the adapter has every verb';
const bodies = 'only readers of dead letters and events fetch bodies from the lake';
const verify = 'only weir archive verify lists the lake, as the operator';
const noEncode = 'it decodes only, or writes JSON; the router asks for the id to encode with';
const readSide = 'the reading half of a store that this service only writes to';
const fansOut = {
  'kinesis:RegisterStreamConsumer': polls,
  'kinesis:DescribeStreamConsumer': polls,
  'kinesis:SubscribeToShard': polls,
};
const consumer = { ...fansOut, 's3:ListBucket': verify };

export const uncalled: Readonly<Record<ServiceName, Readonly<Record<string, string>>>> = {
  ingest: {
    ...fansOut,
    'kinesis:DescribeStreamSummary': onlyPuts,
    'kinesis:GetRecords': onlyPuts,
    'kinesis:GetShardIterator': onlyPuts,
    'kinesis:ListShards': onlyPuts,
  },
  router: { ...consumer, 's3:GetObject': bodies },
  'event-store': {
    ...consumer,
    'kinesis:PutRecords': noWriter,
    'glue:GetSchemaByDefinition': noEncode,
    's3:GetObject': bodies,
    'dynamodb:BatchGetItem': readSide,
  },
  archiver: {
    ...consumer,
    'kinesis:PutRecords': noWriter,
    'glue:GetSchemaByDefinition': noEncode,
  },
  aggregator: {
    ...consumer,
    'kinesis:PutRecords': noWriter,
    'glue:GetSchemaByDefinition': noEncode,
    's3:GetObject': bodies,
  },
  alerter: {
    ...consumer,
    'kinesis:PutRecords': noWriter,
    'glue:GetSchemaByDefinition': noEncode,
    's3:GetObject': bodies,
  },
  detector: {
    ...consumer,
    'glue:GetSchemaByDefinition': noEncode,
    's3:GetObject': bodies,
  },
  query: {
    ...fansOut,
    'kinesis:DescribeStreamSummary': 'status asks for shards and records, not for the stream',
    'kinesis:PutRecords': noWriter,
    's3:PutObject': 'query never writes',
    's3:ListBucket': verify,
    'dynamodb:PutItem': 'query never writes',
    'dynamodb:UpdateItem': 'query never writes',
    'dynamodb:DeleteItem': 'query never writes',
    'dynamodb:BatchWriteItem': 'query never writes',
  },
};
