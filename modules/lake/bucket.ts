import { S3Bucket } from '@cdktf/provider-aws/lib/s3-bucket/index.js';
import { S3BucketLifecycleConfiguration } from '@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration/index.js';
import type { S3BucketLifecycleConfigurationRule } from '@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration/index.js';
import { S3BucketOwnershipControls } from '@cdktf/provider-aws/lib/s3-bucket-ownership-controls/index.js';
import { S3BucketPolicy } from '@cdktf/provider-aws/lib/s3-bucket-policy/index.js';
import { S3BucketPublicAccessBlock } from '@cdktf/provider-aws/lib/s3-bucket-public-access-block/index.js';
import { S3BucketServerSideEncryptionConfigurationA } from '@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration/index.js';
import { S3BucketVersioningA } from '@cdktf/provider-aws/lib/s3-bucket-versioning/index.js';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';
import { policyDocument, type Statement } from '../terraform/policy.ts';

/** Enabled unless it says otherwise. */
type LifecycleRule = Omit<S3BucketLifecycleConfigurationRule, 'status'> & { readonly status?: string };

export interface BucketProps {
  readonly naming: Naming;
  readonly noun: string;
  /** KMS key of the objects; without one S3's own keys are used. */
  readonly keyArn?: string;
  /** What the policy says besides "TLS only". */
  readonly statements?: readonly Statement[];
  readonly rules: readonly LifecycleRule[];
}

/** Parts of an upload that was never finished are invisible and cost; a week is longer than any retry. */
const abandonedUploadDays = 7;

/** A private, versioned, encrypted bucket that takes TLS only. */
export class Bucket extends Construct {
  readonly name: string;
  readonly arn: string;
  readonly bucket: S3Bucket;
  readonly policy: S3BucketPolicy;

  constructor(scope: Construct, props: BucketProps) {
    super(scope, props.noun);
    const { naming, noun } = props;
    this.name = naming.bucket(noun);
    this.arn = naming.bucketArn(noun);
    this.bucket = pin(
      new S3Bucket(this, 'bucket', { bucket: this.name, lifecycle: { preventDestroy: true } }),
      noun.replaceAll('-', '_'),
    );
    this.#private();
    this.#encrypted(props.keyArn);
    this.#lifecycle(props.rules);
    this.policy = this.#policy(props.statements ?? []);
  }

  #private(): void {
    new S3BucketPublicAccessBlock(this, 'public', {
      bucket: this.bucket.id,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    new S3BucketOwnershipControls(this, 'owner', {
      bucket: this.bucket.id,
      rule: { objectOwnership: 'BucketOwnerEnforced' },
    });
  }

  #encrypted(keyArn: string | undefined): void {
    new S3BucketServerSideEncryptionConfigurationA(this, 'encryption', {
      bucket: this.bucket.id,
      rule: [
        {
          applyServerSideEncryptionByDefault: keyArn
            ? { sseAlgorithm: 'aws:kms', kmsMasterKeyId: keyArn }
            : { sseAlgorithm: 'AES256' },
          // One key per bucket and day instead of one call to KMS per object.
          bucketKeyEnabled: keyArn !== undefined,
        },
      ],
    });
    new S3BucketVersioningA(this, 'versions', {
      bucket: this.bucket.id,
      versioningConfiguration: { status: 'Enabled' },
    });
  }

  #lifecycle(rules: BucketProps['rules']): void {
    new S3BucketLifecycleConfiguration(this, 'lifecycle', {
      bucket: this.bucket.id,
      rule: [
        {
          id: 'abandoned-uploads',
          status: 'Enabled',
          filter: [{ prefix: '' }],
          abortIncompleteMultipartUpload: [{ daysAfterInitiation: abandonedUploadDays }],
        },
        ...rules.map((rule) => ({ status: 'Enabled', ...rule })),
      ],
    });
  }

  #policy(statements: readonly Statement[]): S3BucketPolicy {
    return new S3BucketPolicy(this, 'policy', {
      bucket: this.bucket.id,
      policy: policyDocument([
        {
          sid: 'TlsOnly',
          effect: 'Deny',
          principals: '*',
          actions: ['s3:*'],
          resources: [this.arn, `${this.arn}/*`],
          conditions: { Bool: { 'aws:SecureTransport': 'false' } },
        },
        ...statements,
      ]),
    });
  }
}
