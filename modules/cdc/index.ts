import { DynamodbKinesisStreamingDestination } from '@cdktf/provider-aws/lib/dynamodb-kinesis-streaming-destination/index.js';
import { KinesisStream } from '@cdktf/provider-aws/lib/kinesis-stream/index.js';
import { TerraformCount, Token } from 'cdktf';
import { Construct } from 'constructs';
import type { TableName } from '../../lib/stores/tables.ts';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';
import type { Tables } from '../tables/index.ts';

export interface ChangeCaptureProps {
  readonly naming: Naming;
  readonly tables: Tables;
  /** The table whose changes are sent. */
  readonly table: TableName;
  /** The key that records are encrypted with. */
  readonly keyArn: string;
}

/** Long enough to repair a reader over a weekend. */
const retentionHours = 168;

/**
 * Optional: every change of a table as a record on a stream of its own (never on one that the table is filled from:
 * that would be a loop). Records may repeat and change places; ApproximateCreationDateTime orders them.
 */
export class ChangeCapture extends Construct {
  constructor(scope: Construct, props: ChangeCaptureProps) {
    super(scope, 'change-capture');
    const { naming, tables, table } = props;
    const wanted = TerraformCount.of(Token.asNumber('${var.event_store_cdc ? 1 : 0}'));
    const stream = new KinesisStream(this, 'stream', {
      count: wanted,
      name: naming.name(`${table}-changes`),
      streamModeDetails: { streamMode: 'ON_DEMAND' },
      retentionPeriod: retentionHours,
      encryptionType: 'KMS',
      kmsKeyId: props.keyArn,
    });
    pin(stream, `${table}_changes`);
    const destination = new DynamodbKinesisStreamingDestination(this, 'destination', {
      count: wanted,
      tableName: tables.resource(table).name,
      streamArn: `\${${stream.terraformResourceType}.${table}_changes[count.index].arn}`,
      approximateCreationDateTimePrecision: 'MICROSECOND',
    });
    pin(destination, `${table}_changes`);
  }
}
