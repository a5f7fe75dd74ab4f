import { at, attached, given, listOf, statementsOf, type Resource } from './resource.ts';
import { drop, set, type Rule } from './rule.ts';

const bucket = 'aws_s3_bucket';
const has = (type: string) => (resource: Resource, all: readonly Resource[]) =>
  attached(all, type, 'bucket', resource).length > 0;

const publicAccessBlocks = [
  ['CKV_AWS_53', 'block_public_acls'],
  ['CKV_AWS_54', 'block_public_policy'],
  ['CKV_AWS_55', 'ignore_public_acls'],
  ['CKV_AWS_56', 'restrict_public_buckets'],
] as const;

/** A policy that refuses what does not come by TLS. */
function tlsOnly(resource: Resource): boolean {
  const statements = statementsOf(resource, 'policy');
  return (
    statements?.some(
      (statement) =>
        statement.Effect === 'Deny' && statement.Condition?.Bool?.['aws:SecureTransport'] === 'false',
    ) ?? false
  );
}

/** No statement that allows everybody, or everything. */
export function allowsNoStar(resource: Resource): boolean {
  const statements = statementsOf(resource, 'policy') ?? [];
  return statements
    .filter((statement) => statement.Effect === 'Allow')
    .every(
      (statement) =>
        JSON.stringify(statement.Principal) !== '"*"' &&
        !JSON.stringify(statement.Principal ?? '').includes('"*"') &&
        listOf(statement.Action).every((action) => !action.endsWith('*')),
    );
}

const everybody = JSON.stringify({
  Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }],
});

const bucketRules: readonly Rule[] = [
  {
    ids: ['CKV_AWS_18'],
    type: bucket,
    must: 'log who touched it',
    holds: has('aws_s3_bucket_logging'),
    spoil: drop('aws_s3_bucket_logging'),
    accepted: { 'aws_s3_bucket.logs': 'it is the target: logging itself would never end' },
  },
  {
    ids: ['CKV_AWS_19', 'CKV_AWS_145'],
    type: bucket,
    must: 'be encrypted with a key of ours',
    holds: (resource, all) =>
      attached(all, 'aws_s3_bucket_server_side_encryption_configuration', 'bucket', resource).some((part) =>
        given(part, 'rule.0.apply_server_side_encryption_by_default.0.kms_master_key_id'),
      ),
    spoil: drop('aws_s3_bucket_server_side_encryption_configuration'),
    accepted: { 'aws_s3_bucket.logs': "load balancers can write with S3's own keys only" },
  },
  {
    ids: ['CKV_AWS_20', 'CKV_AWS_57', 'CKV2_AWS_65'],
    type: bucket,
    must: 'take no access lists at all',
    holds: (resource, all) =>
      attached(all, 'aws_s3_bucket_ownership_controls', 'bucket', resource).some(
        (part) => at(part, 'rule.0.object_ownership') === 'BucketOwnerEnforced',
      ),
    spoil: set('aws_s3_bucket_ownership_controls', 'rule.0.object_ownership', 'ObjectWriter'),
  },
  {
    ids: ['CKV_AWS_21'],
    type: bucket,
    must: 'keep old versions',
    holds: (resource, all) =>
      attached(all, 'aws_s3_bucket_versioning', 'bucket', resource).some(
        (part) => at(part, 'versioning_configuration.0.status') === 'Enabled',
      ),
    spoil: set('aws_s3_bucket_versioning', 'versioning_configuration.0.status', 'Suspended'),
  },
  {
    ids: ['CKV_AWS_144'],
    type: bucket,
    must: 'be copied to another region',
    holds: has('aws_s3_bucket_replication_configuration'),
    spoil: (all) => [
      ...all,
      ...all.filter(({ type }) => type === bucket).map((one) => ({ ...one, address: 'aws_s3_bucket.new' })),
    ],
    accepted: {
      'aws_s3_bucket.lake': 'one region is the promise; events are in the streams and tables too',
      'aws_s3_bucket.logs': 'access logs are worth no second region',
    },
  },
  {
    ids: ['CKV2_AWS_6'],
    type: bucket,
    must: 'have a block on public access',
    holds: has('aws_s3_bucket_public_access_block'),
    spoil: drop('aws_s3_bucket_public_access_block'),
  },
  {
    ids: ['CKV2_AWS_61'],
    type: bucket,
    must: 'say how long objects live',
    holds: has('aws_s3_bucket_lifecycle_configuration'),
    spoil: drop('aws_s3_bucket_lifecycle_configuration'),
  },
  {
    ids: ['CKV2_AWS_62'],
    type: bucket,
    must: 'tell of new objects',
    holds: has('aws_s3_bucket_notification'),
    spoil: drop('aws_s3_bucket_notification'),
    accepted: { 'aws_s3_bucket.logs': 'nobody acts on an access log' },
  },
  {
    ids: ['CKV_AWS_379', 'CKV_AWS_70', 'CKV_AWS_93'],
    type: 'aws_s3_bucket_policy',
    must: 'refuse what is not TLS and allow nobody everything',
    holds: (resource) => tlsOnly(resource) && allowsNoStar(resource),
    spoil: set('aws_s3_bucket_policy', 'policy', everybody),
  },
  {
    ids: ['CKV_AWS_300'],
    type: 'aws_s3_bucket_lifecycle_configuration',
    must: 'remove uploads that were never finished',
    holds: (resource) =>
      (at(resource, 'rule') as readonly Readonly<Record<string, unknown>>[]).some(
        (rule) => JSON.stringify(rule.abort_incomplete_multipart_upload ?? []) !== '[]',
      ),
    spoil: set('aws_s3_bucket_lifecycle_configuration', 'rule', []),
  },
  ...publicAccessBlocks.map(
    ([id, attribute]): Rule => ({
      ids: [id],
      type: 'aws_s3_bucket_public_access_block',
      must: `have ${attribute}`,
      holds: (resource) => at(resource, attribute) === true,
      spoil: set('aws_s3_bucket_public_access_block', attribute, false),
    }),
  ),
];

export const storageRules: readonly Rule[] = [
  {
    ids: ['CKV_AWS_43', 'CKV_AWS_185'],
    type: 'aws_kinesis_stream',
    must: 'be encrypted with a key of ours',
    holds: (resource) => at(resource, 'encryption_type') === 'KMS' && given(resource, 'kms_key_id'),
    spoil: set('aws_kinesis_stream', 'kms_key_id', null),
  },
  {
    ids: ['CKV_AWS_240', 'CKV_AWS_241'],
    type: 'aws_kinesis_firehose_delivery_stream',
    must: 'read an encrypted stream (its own encryption is for direct writers only)',
    holds: (resource) => given(resource, 'kinesis_source_configuration.0.kinesis_stream_arn'),
    spoil: set('aws_kinesis_firehose_delivery_stream', 'kinesis_source_configuration', []),
  },
  {
    ids: ['CKV_AWS_7'],
    type: 'aws_kms_key',
    must: 'rotate',
    holds: (resource) => at(resource, 'enable_key_rotation') === true,
    spoil: set('aws_kms_key', 'enable_key_rotation', false),
  },
  {
    ids: ['CKV_AWS_33', 'CKV2_AWS_64'],
    type: 'aws_kms_key',
    must: 'have a policy that names who may use it',
    holds: (resource) =>
      (statementsOf(resource, 'policy') ?? []).length > 0 &&
      (statementsOf(resource, 'policy') ?? []).every(
        (statement) => JSON.stringify(statement.Principal) !== '"*"',
      ),
    spoil: set('aws_kms_key', 'policy', everybody),
  },
  {
    ids: ['CKV_AWS_227'],
    type: 'aws_kms_key',
    must: 'be enabled',
    holds: (resource) => at(resource, 'is_enabled') !== false,
    spoil: set('aws_kms_key', 'is_enabled', false),
  },
  {
    ids: ['CKV_AWS_28'],
    type: 'aws_dynamodb_table',
    must: 'be restorable to any second of 35 days',
    holds: (resource) => at(resource, 'point_in_time_recovery.0.enabled') === true,
    spoil: set('aws_dynamodb_table', 'point_in_time_recovery.0.enabled', false),
    accepted: {
      'aws_dynamodb_table.dedupe': 'an hour of ids; made again by reading the stream again',
      'aws_dynamodb_table.idempotency': 'answers of a day; a client asks again',
    },
  },
  {
    ids: ['CKV_AWS_119'],
    type: 'aws_dynamodb_table',
    must: 'be encrypted with a key of ours',
    holds: (resource) => given(resource, 'server_side_encryption.0.kms_key_arn'),
    spoil: set('aws_dynamodb_table', 'server_side_encryption', []),
  },
  {
    ids: ['CKV2_AWS_16'],
    type: 'aws_dynamodb_table',
    must: 'scale by itself',
    holds: (resource) => at(resource, 'billing_mode') === 'PAY_PER_REQUEST',
    spoil: set('aws_dynamodb_table', 'billing_mode', 'PROVISIONED'),
  },
  ...bucketRules,
  {
    ids: ['CKV_AWS_27', 'CKV2_AWS_73'],
    type: 'aws_sqs_queue',
    must: 'be encrypted with a key of ours',
    holds: (resource) => given(resource, 'kms_master_key_id'),
    spoil: set('aws_sqs_queue', 'kms_master_key_id', null),
  },
  {
    ids: ['CKV_AWS_72', 'CKV_AWS_168', 'CKV_AWS_387'],
    type: 'aws_sqs_queue_policy',
    must: 'refuse what is not TLS and allow nobody everything',
    holds: (resource) => tlsOnly(resource) && allowsNoStar(resource),
    spoil: set('aws_sqs_queue_policy', 'policy', everybody),
  },
  {
    ids: ['CKV_AWS_51'],
    type: 'aws_ecr_repository',
    must: 'have tags that cannot move',
    holds: (resource) => at(resource, 'image_tag_mutability') === 'IMMUTABLE',
    spoil: set('aws_ecr_repository', 'image_tag_mutability', 'MUTABLE'),
  },
  {
    ids: ['CKV_AWS_136'],
    type: 'aws_ecr_repository',
    must: 'be encrypted with a key of ours',
    holds: (resource) => at(resource, 'encryption_configuration.0.encryption_type') === 'KMS',
    spoil: set('aws_ecr_repository', 'encryption_configuration', []),
  },
  {
    ids: ['CKV_AWS_163'],
    type: 'aws_ecr_repository',
    must: 'scan what is pushed',
    holds: (resource) => at(resource, 'image_scanning_configuration.0.scan_on_push') === true,
    spoil: set('aws_ecr_repository', 'image_scanning_configuration.0.scan_on_push', false),
  },
];
