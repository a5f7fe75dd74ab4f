import { KmsAlias } from '@cdktf/provider-aws/lib/kms-alias/index.js';
import { KmsKey } from '@cdktf/provider-aws/lib/kms-key/index.js';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';
import { policyDocument, type Statement } from '../terraform/policy.ts';

/** Days in which a deleted key can still be brought back: the longest KMS offers, as losing it loses the data. */
const deletionWindowDays = 30;

/** Two keys: one for what events lie on, one for what operators read. Who may use which differs. */
export class Keys extends Construct {
  /** Streams, tables, lake, bus, images. */
  readonly dataArn: string;
  /** Logs and alarm messages. */
  readonly operationsArn: string;

  constructor(scope: Construct, naming: Naming) {
    super(scope, 'keys');
    this.dataArn = this.#key(naming, 'data', 'streams, tables, lake, queues and images', []);
    this.operationsArn = this.#key(naming, 'operations', 'logs and alarms', [
      {
        sid: 'Logs',
        principals: { Service: `logs.${naming.region}.amazonaws.com` },
        actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
        resources: ['*'],
        conditions: {
          ArnLike: { 'kms:EncryptionContext:aws:logs:arn': naming.arn('logs', 'log-group:*') },
        },
      },
      {
        sid: 'Alarms',
        principals: { Service: ['cloudwatch.amazonaws.com', 'budgets.amazonaws.com'] },
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': naming.account } },
      },
    ]);
  }

  #key(naming: Naming, noun: string, what: string, statements: readonly Statement[]): string {
    const key = new KmsKey(this, noun, {
      description: `Weir ${naming.environment}: ${what}`,
      enableKeyRotation: true,
      deletionWindowInDays: deletionWindowDays,
      policy: policyDocument([
        {
          // Delegates to IAM, so that roles are granted in one place; DynamoDB's replication role needs it too.
          sid: 'Account',
          principals: { AWS: `arn:${naming.partition}:iam::${naming.account}:root` },
          actions: ['kms:*'],
          resources: ['*'],
        },
        ...statements,
      ]),
    });
    pin(key, `${noun}_key`);
    pin(
      new KmsAlias(this, `${noun}-alias`, {
        name: `alias/${naming.name(noun)}`,
        targetKeyId: key.keyId,
      }),
      `${noun}_key`,
    );
    return key.arn;
  }
}
