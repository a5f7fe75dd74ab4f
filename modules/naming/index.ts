import { DataAwsCallerIdentity } from '@cdktf/provider-aws/lib/data-aws-caller-identity/index.js';
import { DataAwsPartition } from '@cdktf/provider-aws/lib/data-aws-partition/index.js';
import { Construct } from 'constructs';
import { local } from '../terraform/local.ts';
import type { Variables } from '../variables/index.ts';

/**
 * Names and ARNs made from names. An ARN made here is known when the plan is made, so a reviewer reads whole
 * policies instead of "(known after apply)".
 */
export class Naming extends Construct {
  readonly prefix: string;
  readonly region: string;
  readonly account: string;
  readonly partition: string;
  readonly environment: string;

  constructor(scope: Construct, variables: Variables) {
    super(scope, 'naming');
    const identity = new DataAwsCallerIdentity(this, 'caller');
    identity.overrideLogicalId('caller');
    const partition = new DataAwsPartition(this, 'partition');
    partition.overrideLogicalId('partition');
    this.prefix = local(this, 'prefix', 'format("%s-%s", var.name_prefix, var.environment)').asString;
    this.region = variables.text('aws_region');
    this.environment = variables.text('environment');
    this.account = identity.accountId;
    this.partition = partition.partition;
  }

  /** `weir-dev-inbound` */
  name(noun: string): string {
    return `${this.prefix}-${noun}`;
  }

  /** `resource` is what follows the account in the ARN, e.g. `stream/weir-dev-inbound`. */
  arn(service: string, resource: string): string {
    return `arn:${this.partition}:${service}:${this.region}:${this.account}:${resource}`;
  }

  /** IAM has no region in its ARNs. */
  roleArn(name: string): string {
    return `arn:${this.partition}:iam::${this.account}:role/${name}`;
  }

  /** Bucket names are global, so they carry the account. S3 has neither region nor account in its ARNs. */
  bucket(noun: string): string {
    return `${this.prefix}-${this.account}-${noun}`;
  }

  bucketArn(noun: string): string {
    return `arn:${this.partition}:s3:::${this.bucket(noun)}`;
  }
}
