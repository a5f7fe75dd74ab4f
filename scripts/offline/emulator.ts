import type { Blocks, StackJson } from './stack.ts';

/**
 * Types that the emulator (moto 5.2) cannot make, each with what happens. They are left out of an apply against it,
 * with whatever refers to them.
 */
export const notEmulated: Readonly<Record<string, string>> = {
  aws_appautoscaling_target: 'ListTagsForResource of Application Auto Scaling is missing',
  aws_appautoscaling_policy: 'needs the target',
  aws_athena_workgroup: 'ListTagsForResource of Athena does not know it',
  aws_budgets_budget: 'DescribeSubscribersForNotification is missing',
  aws_cloudwatch_composite_alarm: 'PutCompositeAlarm is missing',
  aws_s3_bucket_logging: 'it fails on a bucket policy whose principal is "*"',
  aws_dynamodb_kinesis_streaming_destination: 'EnableKinesisStreamingDestination is missing',
};

/** Services of AWS that the stack calls, as the provider names their endpoints. */
const endpointNames = [
  'acm',
  'appautoscaling',
  'athena',
  'budgets',
  'cloudwatch',
  'cloudwatchlogs',
  'dynamodb',
  'ec2',
  'ecr',
  'ecs',
  'elbv2',
  'firehose',
  'glue',
  'iam',
  'kinesis',
  'kms',
  'route53',
  's3',
  'secretsmanager',
  'sns',
  'sqs',
  'sts',
  'wafv2',
] as const;

/** Over `offlineOverride`: every call goes to the emulator. */
export function emulatorOverride(endpoint: string): Readonly<Record<string, unknown>> {
  return {
    provider: {
      aws: [
        {
          access_key: 'offline',
          secret_key: 'offline',
          s3_use_path_style: true,
          skip_credentials_validation: true,
          // Budgets have the account in their ids; the emulator knows one.
          skip_requesting_account_id: false,
          max_retries: 2,
          skip_metadata_api_check: 'true',
          endpoints: [Object.fromEntries(endpointNames.map((name) => [name, endpoint]))],
        },
      ],
    },
  };
}

/** The stack without what the emulator cannot make. */
export function forEmulator(stack: StackJson): StackJson {
  const kept = Object.entries(stack.resource).filter(([type]) => !(type in notEmulated));
  const resource: Blocks = Object.fromEntries(kept);
  const text = JSON.stringify({ ...stack, resource }, (key: string, value: unknown) => {
    // Ids of its zones do not begin with Z, as those of AWS do.
    if (key === 'validation' && JSON.stringify(value).includes('domain.zone_id')) return undefined;
    // It polls for ever for the one, and Terraform could not remove what it made with the other.
    if (key === 'redrive_allow_policy' || key === 'prevent_destroy') return undefined;
    if (key === 'alarm_actions' && JSON.stringify(value).includes('aws_appautoscaling_policy')) return [];
    return value;
  });
  return JSON.parse(text) as StackJson;
}
