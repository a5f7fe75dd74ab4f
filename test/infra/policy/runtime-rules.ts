import { at, given, text, listOf, statementsOf, type PolicyStatement, type Resource } from './resource.ts';
import { set, type Rule } from './rule.ts';
import { allowsNoStar } from './storage-rules.ts';

interface Container {
  readonly privileged?: boolean;
  readonly readonlyRootFilesystem?: boolean;
  readonly user?: string;
}

function containers(resource: Resource): readonly Container[] {
  return JSON.parse(text(resource, 'container_definitions')) as readonly Container[];
}

const task = 'aws_ecs_task_definition';
const worst = JSON.stringify([{ privileged: true, readonlyRootFilesystem: false, user: 'root' }]);

/** Actions that know no resources: AWS wants a star there. */
const starActions = ['ecr:GetAuthorizationToken'];

const namesResources = (statement: PolicyStatement): boolean =>
  !listOf(statement.Resource).includes('*') ||
  listOf(statement.Action).every((action) => starActions.includes(action));

/** Unknown until the apply: a policy that only names a key. */
const everyStatement = (check: (statement: PolicyStatement) => boolean) => (resource: Resource) =>
  statementsOf(resource, 'policy')?.every(check) ?? /_key(\[0\])?$/.test(resource.address);

const admin = JSON.stringify({ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });
const anyone = JSON.stringify({
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '*' } }],
});

const logRules: readonly Rule[] = [
  {
    ids: ['CKV_AWS_158'],
    type: 'aws_cloudwatch_log_group',
    must: 'be encrypted with a key of ours',
    holds: (resource) => given(resource, 'kms_key_id'),
    spoil: set('aws_cloudwatch_log_group', 'kms_key_id', null),
  },
  {
    ids: ['CKV_AWS_66', 'CKV_AWS_338'],
    type: 'aws_cloudwatch_log_group',
    must: 'keep a year',
    holds: (resource) => Number(at(resource, 'retention_in_days')) >= 365,
    spoil: set('aws_cloudwatch_log_group', 'retention_in_days', 7),
  },
  {
    ids: ['CKV_AWS_319'],
    type: 'aws_cloudwatch_metric_alarm',
    must: 'do something when it goes off',
    holds: (resource) => at(resource, 'actions_enabled') === true && given(resource, 'alarm_actions'),
    spoil: set('aws_cloudwatch_metric_alarm', 'actions_enabled', false),
  },
  {
    ids: ['CKV_AWS_26'],
    type: 'aws_sns_topic',
    must: 'be encrypted with a key of ours',
    holds: (resource) => given(resource, 'kms_master_key_id'),
    spoil: set('aws_sns_topic', 'kms_master_key_id', null),
  },
  {
    ids: ['CKV_AWS_169', 'CKV_AWS_385'],
    type: 'aws_sns_topic_policy',
    must: 'allow nobody everything',
    holds: allowsNoStar,
    spoil: set(
      'aws_sns_topic_policy',
      'policy',
      JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sns:Publish' }] }),
    ),
  },
];

const roleRules: readonly Rule[] = [
  {
    ids: ['CKV_AWS_60', 'CKV_AWS_61', 'CKV_AWS_393'],
    type: 'aws_iam_role',
    must: 'be taken by one AWS service, for this account only',
    holds: (resource) =>
      (statementsOf(resource, 'assume_role_policy') ?? []).every(
        (statement) =>
          typeof statement.Principal === 'object' &&
          statement.Principal !== null &&
          'Service' in statement.Principal &&
          statement.Condition?.StringEquals?.['aws:SourceAccount'] !== undefined,
      ),
    spoil: set('aws_iam_role', 'assume_role_policy', anyone),
  },
  {
    ids: ['CKV_AWS_274', 'CKV2_AWS_56'],
    type: 'aws_iam_role',
    must: 'have no policy of AWS, least of all AdministratorAccess',
    holds: (resource) => JSON.stringify(at(resource, 'managed_policy_arns') ?? []) === '[]',
    spoil: set('aws_iam_role', 'managed_policy_arns', ['arn:aws:iam::aws:policy/AdministratorAccess']),
  },
  {
    ids: ['CKV_AWS_62', 'CKV_AWS_63', 'CKV_AWS_286', 'CKV_AWS_287', 'CKV_AWS_289', 'CKV2_AWS_40'],
    type: 'aws_iam_role_policy',
    must: 'name its actions one by one',
    holds: everyStatement((statement) => listOf(statement.Action).every((action) => !action.includes('*'))),
    spoil: set('aws_iam_role_policy', 'policy', admin),
  },
  {
    ids: ['CKV_AWS_288', 'CKV_AWS_290', 'CKV_AWS_355'],
    type: 'aws_iam_role_policy',
    must: 'name its resources, save for actions that know none',
    holds: everyStatement(namesResources),
    spoil: set('aws_iam_role_policy', 'policy', admin),
  },
];

export const runtimeRules: readonly Rule[] = [
  {
    ids: ['CKV_AWS_65'],
    type: 'aws_ecs_cluster',
    must: 'measure its containers',
    holds: (resource) =>
      (at(resource, 'setting') as readonly { readonly value: string }[] | undefined)?.some(({ value }) =>
        ['enabled', 'enhanced'].includes(value),
      ) ?? false,
    spoil: set('aws_ecs_cluster', 'setting', []),
  },
  {
    ids: ['CKV_AWS_223', 'CKV_AWS_224'],
    type: 'aws_ecs_cluster',
    must: 'encrypt and log sessions into a task',
    holds: (resource) =>
      given(resource, 'configuration.0.execute_command_configuration.0.kms_key_id') &&
      at(resource, 'configuration.0.execute_command_configuration.0.logging') === 'OVERRIDE',
    spoil: set('aws_ecs_cluster', 'configuration', []),
  },
  {
    ids: ['CKV_AWS_333'],
    type: 'aws_ecs_service',
    must: 'have no public address',
    holds: (resource) => at(resource, 'network_configuration.0.assign_public_ip') === false,
    spoil: set('aws_ecs_service', 'network_configuration.0.assign_public_ip', true),
  },
  {
    ids: ['CKV_AWS_332'],
    type: 'aws_ecs_service',
    must: 'run on a named platform version of Fargate',
    holds: (resource) => ['1.4.0', 'LATEST'].includes(text(resource, 'platform_version')),
    spoil: set('aws_ecs_service', 'platform_version', '1.3.0'),
  },
  {
    ids: ['CKV_AWS_97', 'CKV_AWS_249'],
    type: task,
    must: 'run as another role than the one that starts it',
    holds: (resource) =>
      JSON.stringify(resource.references.task_role_arn) !==
      JSON.stringify(resource.references.execution_role_arn),
    spoil: (all) => all.map((one) => (one.type === task ? { ...one, references: {} } : one)),
  },
  {
    ids: ['CKV_AWS_334', 'CKV_AWS_335'],
    type: task,
    must: 'be unprivileged, as a user that is not root, with processes of its own',
    holds: (resource) =>
      !given(resource, 'pid_mode') &&
      containers(resource).every(({ privileged, user }) => privileged === false && user === '1000:1000'),
    spoil: set(task, 'container_definitions', worst),
  },
  {
    ids: ['CKV_AWS_336'],
    type: task,
    must: 'have a root file system that cannot be written',
    holds: (resource) => containers(resource).every((container) => container.readonlyRootFilesystem === true),
    spoil: set(task, 'container_definitions', worst),
  },
  ...roleRules,
  ...logRules,
];
