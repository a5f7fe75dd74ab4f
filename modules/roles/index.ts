import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js';
import { Construct } from 'constructs';
import type { ServiceName } from '../../services/catalogue.ts';
import { pin } from '../terraform/pin.ts';
import { policyDocument, trustPolicy } from '../terraform/policy.ts';
import { access } from './access.ts';
import { keyStatement, statementsOf, type Places } from './statements.ts';

export interface ServiceRoleProps extends Places {
  readonly service: ServiceName;
  /** The key of streams, tables, lake and bus. */
  readonly keyArn: string;
}

/** The role that the code of one service runs as: the grants of access.ts, on things named one by one. */
export class ServiceRole extends Construct {
  readonly arn: string;

  constructor(scope: Construct, props: ServiceRoleProps) {
    super(scope, `${props.service}-role`);
    const { naming, service } = props;
    const grants = access[service];
    const role = new IamRole(this, 'task', {
      name: naming.name(`${service}-task`),
      description: `What the code of ${service} may do`,
      assumeRolePolicy: trustPolicy('ecs-tasks.amazonaws.com', naming.account),
    });
    pin(role, `${service.replaceAll('-', '_')}_task`);
    this.arn = role.arn;
    const work = new IamRolePolicy(this, 'work', {
      name: 'work',
      role: role.name,
      policy: policyDocument(statementsOf(grants, props)),
    });
    pin(work, `${service.replaceAll('-', '_')}_work`);
    // Apart from the rest: a key's ARN is unknown until it exists and would hide the whole policy in a plan.
    const key = new IamRolePolicy(this, 'key', {
      name: 'key',
      role: role.name,
      policy: policyDocument([keyStatement(grants, naming, props.keyArn)]),
    });
    pin(key, `${service.replaceAll('-', '_')}_key`);
  }
}
