import { TerraformCount, Token } from 'cdktf';
import type { TableName } from '../../lib/stores/tables.ts';
import { tableNames } from '../../lib/stores/tables.ts';
import type { AlarmDefinition, AlarmMetric } from './alarm.ts';

export interface StoragePlaces {
  readonly tableName: (table: TableName) => string;
  readonly busName: string;
  readonly busDeadLettersName: string;
  readonly rawArchiveName: string;
}

/** An hour: whoever takes work from the bus is not there. */
const messageAgeSecondsMax = 3_600;

/** What can go wrong where events are kept: tables, bus, the optional raw archive. */
export function storageAlarms(places: StoragePlaces): readonly AlarmDefinition[] {
  return [
    ...tableNames.map((table) => throttledTable(table, places)),
    queue(
      'bus-dead-letters',
      places.busDeadLettersName,
      'ApproximateNumberOfMessagesVisible',
      0,
      'A message of the bus failed five times and was set aside. Read it, mend its reader, redrive it to the bus.',
    ),
    queue(
      'bus-age',
      places.busName,
      'ApproximateAgeOfOldestMessage',
      messageAgeSecondsMax,
      'Nobody has taken work from the bus for an hour. Messages are kept for 14 days.',
    ),
    rawArchive(places),
  ];
}

function throttledTable(table: TableName, places: StoragePlaces): AlarmDefinition {
  const metric = (id: string, name: string): AlarmMetric => ({
    id,
    namespace: 'AWS/DynamoDB',
    name,
    dimensions: { TableName: places.tableName(table) },
    stat: 'Sum',
  });
  return {
    id: `table-${table}-throttled`,
    what: `Table ${table} throttles: a hot key, or traffic that doubled within half an hour. Callers retry; if it lasts, look at its key in lib/stores/tables.ts.`,
    metrics: [metric('reads', 'ReadThrottleEvents'), metric('writes', 'WriteThrottleEvents')],
    expression: 'FILL(reads, 0) + FILL(writes, 0)',
    above: 0,
    periodSeconds: 60,
    badOf: [5, 5],
  };
}

function queue(id: string, name: string, metric: string, above: number, what: string): AlarmDefinition {
  return {
    id,
    what,
    metrics: [
      { id: 'value', namespace: 'AWS/SQS', name: metric, dimensions: { QueueName: name }, stat: 'Maximum' },
    ],
    above,
    periodSeconds: 300,
    badOf: [1, 1],
  };
}

function rawArchive(places: StoragePlaces): AlarmDefinition {
  return {
    id: 'raw-archive-age',
    what: 'Firehose has not delivered the raw copy for too long: see its log; its role, its key and the bucket policy are what breaks.',
    count: TerraformCount.of(Token.asNumber('${var.lake.raw_archive ? 1 : 0}')),
    metrics: [
      {
        id: 'value',
        namespace: 'AWS/Firehose',
        name: 'DeliveryToS3.DataFreshness',
        dimensions: { DeliveryStreamName: places.rawArchiveName },
        stat: 'Maximum',
      },
    ],
    above: 'var.alarms.raw_archive_age_seconds',
    periodSeconds: 300,
    badOf: [3, 3],
  };
}
