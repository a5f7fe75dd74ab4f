import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';
import { policyDocument, trustPolicy } from '../terraform/policy.ts';

export interface ExecutionRoleProps {
  readonly naming: Naming;
  readonly repositoryArn: string;
}

/** What ECS itself may do to start any of our tasks: pull the one image, write logs. Code never runs as this role. */
export class ExecutionRole extends Construct {
  readonly arn: string;
  readonly roleName: string;

  constructor(scope: Construct, props: ExecutionRoleProps) {
    super(scope, 'execution');
    const { naming } = props;
    const role = new IamRole(this, 'role', {
      name: naming.name('execution'),
      description: 'Starts tasks: pulls the image and writes logs',
      assumeRolePolicy: trustPolicy('ecs-tasks.amazonaws.com', naming.account),
    });
    this.arn = pin(role, 'execution').arn;
    this.roleName = role.name;
    new IamRolePolicy(this, 'policy', {
      name: 'start',
      role: role.name,
      policy: policyDocument([
        {
          actions: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
          resources: [props.repositoryArn],
        },
        // ECR's login knows no resources.
        { actions: ['ecr:GetAuthorizationToken'], resources: ['*'] },
        {
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [naming.arn('logs', `log-group:/${naming.prefix}/service/*`)],
        },
      ]),
    });
  }
}
