import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js';
import { CloudwatchLogStream } from '@cdktf/provider-aws/lib/cloudwatch-log-stream/index.js';
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js';
import { KinesisFirehoseDeliveryStream } from '@cdktf/provider-aws/lib/kinesis-firehose-delivery-stream/index.js';
import { TerraformCount, Token } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';
import { policyDocument, trustPolicy } from '../terraform/policy.ts';

export interface RawArchiveProps {
  readonly naming: Naming;
  readonly inboundArn: string;
  readonly bucketArn: string;
  /** The key of the stream and of the bucket. */
  readonly dataKeyArn: string;
  /** The key of logs. */
  readonly logKeyArn: string;
}

/** Where raw records lie in the lake; dates are of arrival, UTC. */
const prefix = 'raw/inbound/!{timestamp:yyyy/MM/dd/HH}/';
const errorPrefix = 'raw/errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/';

/**
 * Optional: the inbound stream as it is, written by Firehose (at least once, in no order). The archiver writes exactly
 * once; this is for those who want a copy that none of our code has touched.
 */
export class RawArchive extends Construct {
  constructor(scope: Construct, props: RawArchiveProps) {
    super(scope, 'raw-archive');
    const { naming } = props;
    const wanted = TerraformCount.of(Token.asNumber('${var.lake.raw_archive ? 1 : 0}'));
    const role = new IamRole(this, 'role', {
      count: wanted,
      name: naming.name('raw-archive'),
      description: 'What Firehose may do: read inbound, write under raw/',
      assumeRolePolicy: trustPolicy('firehose.amazonaws.com', naming.account),
    });
    pin(role, 'raw_archive');
    const policies = [this.#work(props, wanted), this.#key(props, wanted)];
    const logs = this.#logs(props, wanted);
    const delivery = new KinesisFirehoseDeliveryStream(this, 'delivery', {
      count: wanted,
      name: naming.name('raw-archive'),
      destination: 'extended_s3',
      kinesisSourceConfiguration: {
        kinesisStreamArn: props.inboundArn,
        roleArn: '${aws_iam_role.raw_archive[count.index].arn}',
      },
      extendedS3Configuration: {
        roleArn: '${aws_iam_role.raw_archive[count.index].arn}',
        bucketArn: props.bucketArn,
        prefix,
        errorOutputPrefix: errorPrefix,
        bufferingSize: Token.asNumber('${var.lake.raw_buffer_mb}'),
        bufferingInterval: Token.asNumber('${var.lake.raw_buffer_seconds}'),
        compressionFormat: 'GZIP',
        cloudwatchLoggingOptions: { enabled: true, logGroupName: logs, logStreamName: 'delivery' },
      },
      dependsOn: policies,
    });
    pin(delivery, 'raw_archive');
  }

  #work(props: RawArchiveProps, count: TerraformCount): IamRolePolicy {
    const { naming } = props;
    return new IamRolePolicy(this, 'work', {
      count,
      name: 'deliver',
      role: '${aws_iam_role.raw_archive[count.index].name}',
      policy: policyDocument([
        {
          actions: [
            'kinesis:DescribeStream',
            'kinesis:GetShardIterator',
            'kinesis:GetRecords',
            'kinesis:ListShards',
          ],
          resources: [props.inboundArn],
        },
        {
          actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
          resources: [props.bucketArn],
        },
        {
          actions: ['s3:PutObject', 's3:GetObject', 's3:AbortMultipartUpload'],
          resources: [`${props.bucketArn}/raw/*`],
        },
        {
          actions: ['logs:PutLogEvents'],
          resources: [naming.arn('logs', `log-group:/${naming.prefix}/raw-archive:*`)],
        },
      ]),
    });
  }

  /** Apart, as the ARN of a key would hide the rest of the policy in a plan. */
  #key(props: RawArchiveProps, count: TerraformCount): IamRolePolicy {
    const { region } = props.naming;
    const policy = new IamRolePolicy(this, 'key', {
      count,
      name: 'key',
      role: '${aws_iam_role.raw_archive[count.index].name}',
      policy: policyDocument([
        {
          actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
          resources: [props.dataKeyArn],
          conditions: {
            StringEquals: {
              'kms:ViaService': [`kinesis.${region}.amazonaws.com`, `s3.${region}.amazonaws.com`],
            },
          },
        },
      ]),
    });
    return pin(policy, 'raw_archive_key');
  }

  #logs(props: RawArchiveProps, count: TerraformCount): string {
    const name = `/${props.naming.prefix}/raw-archive`;
    const group = new CloudwatchLogGroup(this, 'logs', {
      count,
      name,
      retentionInDays: Token.asNumber('${var.log_retention_days}'),
      kmsKeyId: props.logKeyArn,
    });
    pin(group, 'raw_archive');
    new CloudwatchLogStream(this, 'log', {
      count,
      name: 'delivery',
      logGroupName: '${aws_cloudwatch_log_group.raw_archive[count.index].name}',
    });
    return name;
  }
}
