import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js';
import { FlowLog as AwsFlowLog } from '@cdktf/provider-aws/lib/flow-log/index.js';
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js';
import { TerraformCount, Token } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { policyDocument, trustPolicy } from '../terraform/policy.ts';

/** Who talked to whom, kept as long as other logs. An existing VPC has its own. */
export class FlowLog extends Construct {
  constructor(scope: Construct, props: { readonly naming: Naming; readonly keyArn: string }) {
    super(scope, 'flow-log');
    const { naming, keyArn } = props;
    const own = TerraformCount.of(Token.asNumber('${local.own_vpc}'));
    const name = `/${naming.prefix}/flow`;
    const group = new CloudwatchLogGroup(this, 'group', {
      name,
      retentionInDays: Token.asNumber('${var.log_retention_days}'),
      kmsKeyId: keyArn,
    });
    const role = new IamRole(this, 'role', {
      name: naming.name('flow-log'),
      assumeRolePolicy: trustPolicy('vpc-flow-logs.amazonaws.com', naming.account),
    });
    new IamRolePolicy(this, 'policy', {
      name: 'write',
      role: role.name,
      policy: policyDocument([
        {
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
          resources: [naming.arn('logs', `log-group:${name}:*`)],
        },
      ]),
    });
    new AwsFlowLog(this, 'log', {
      count: own,
      vpcId: '${one(aws_vpc.platform[*].id)}',
      trafficType: 'ALL',
      logDestination: group.arn,
      iamRoleArn: role.arn,
    });
  }
}
