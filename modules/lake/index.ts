import { S3BucketLoggingA } from '@cdktf/provider-aws/lib/s3-bucket-logging/index.js';
import { S3BucketNotification } from '@cdktf/provider-aws/lib/s3-bucket-notification/index.js';
import { Token } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { Bucket } from './bucket.ts';
import { Catalogue } from './catalogue.ts';

export interface LakeProps {
  readonly naming: Naming;
  /** The key that objects of the lake are encrypted with. */
  readonly keyArn: string;
}

/** Where the archiver writes: lib/stores/archive-layout.ts, which a test compares. */
export const archivePrefix = 'archive/';
/** Access logs are for investigations, which start late. */
const accessLogDays = 400;
/** Results of Athena can be had again. */
const queryResultDays = 14;
/** Versions that were replaced or deleted; long enough to notice a mistake. */
const oldVersionDays = 30;

/** The data lake, and the bucket that records who touched it. */
export class Lake extends Construct {
  readonly bucketName: string;
  readonly bucketArn: string;
  /** Where the load balancer writes its logs too. */
  readonly logs: Bucket;

  constructor(scope: Construct, props: LakeProps) {
    super(scope, 'lake');
    this.logs = this.#logs(props.naming);
    const lake = new Bucket(this, { ...props, noun: 'lake', rules: lakeRules() });
    this.bucketName = lake.name;
    this.bucketArn = lake.arn;
    new S3BucketLoggingA(this, 'access-logs', {
      bucket: lake.bucket.id,
      targetBucket: this.logs.bucket.id,
      targetPrefix: 'lake/',
      // S3 refuses a target that its policy does not open yet.
      dependsOn: [this.logs.policy],
    });
    new Catalogue(this, { ...props, bucketName: lake.name, archivePrefix });
    new S3BucketNotification(this, 'notifications', { bucket: lake.bucket.id, eventbridge: true });
  }

  /** Load balancers can write to a bucket with S3's own keys only. */
  #logs(naming: Naming): Bucket {
    return new Bucket(this, {
      naming,
      noun: 'logs',
      rules: [
        {
          id: 'expire',
          filter: [{ prefix: '' }],
          expiration: [{ days: accessLogDays }],
          noncurrentVersionExpiration: [{ noncurrentDays: oldVersionDays }],
        },
      ],
      statements: [
        {
          sid: 'AccessLogs',
          principals: { Service: 'logging.s3.amazonaws.com' },
          actions: ['s3:PutObject'],
          resources: [`${naming.bucketArn('logs')}/lake/*`],
          conditions: {
            StringEquals: { 'aws:SourceAccount': naming.account },
            ArnLike: { 'aws:SourceArn': naming.bucketArn('lake') },
          },
        },
        {
          sid: 'LoadBalancerLogs',
          principals: { Service: 'logdelivery.elasticloadbalancing.amazonaws.com' },
          actions: ['s3:PutObject'],
          resources: [`${naming.bucketArn('logs')}/edge/AWSLogs/${naming.account}/*`],
          conditions: { StringEquals: { 'aws:SourceAccount': naming.account } },
        },
      ],
    });
  }
}

function lakeRules() {
  return [
    {
      id: 'age',
      filter: [{ prefix: '' }],
      transition: [
        { days: Token.asNumber('${var.lake.infrequent_days}'), storageClass: 'STANDARD_IA' },
        { days: Token.asNumber('${var.lake.archive_days}'), storageClass: 'GLACIER_IR' },
      ],
      noncurrentVersionExpiration: [{ noncurrentDays: oldVersionDays }],
    },
    {
      // A rule cannot lack its days, so one that is not wanted is switched off.
      id: 'expire',
      status: '${var.lake.expire_days == null ? "Disabled" : "Enabled"}',
      filter: [{ prefix: archivePrefix }],
      expiration: [{ days: Token.asNumber('${coalesce(var.lake.expire_days, 36500)}') }],
    },
    { id: 'query-results', filter: [{ prefix: 'queries/' }], expiration: [{ days: queryResultDays }] },
  ];
}
