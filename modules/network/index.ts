import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { local } from '../terraform/local.ts';
import { Endpoints } from './endpoints.ts';
import { FlowLog } from './flow-log.ts';
import { OwnVpc } from './vpc.ts';

export interface NetworkProps {
  readonly naming: Naming;
  /** The key of the flow log. */
  readonly keyArn: string;
}

/** A VPC of our own, or the subnets of an existing one: the rest of the platform cannot tell. */
export class Network extends Construct {
  readonly vpcId: string;
  readonly publicSubnetIds: string[];
  readonly privateSubnetIds: string[];

  constructor(scope: Construct, props: NetworkProps) {
    super(scope, 'network');
    local(this, 'own_vpc', 'var.network.existing == null ? 1 : 0');
    local(this, 'own_azs', 'var.network.existing == null ? var.network.az_count : 0');
    new OwnVpc(this, props.naming);
    new FlowLog(this, props);
    this.vpcId = local(
      this,
      'vpc_id',
      'var.network.existing == null ? one(aws_vpc.platform[*].id) : var.network.existing.vpc_id',
    ).asString;
    this.publicSubnetIds = local(this, 'public_subnet_ids', subnets('public')).asList;
    this.privateSubnetIds = local(this, 'private_subnet_ids', subnets('private')).asList;
    new Endpoints(this, props.naming);
  }
}

function subnets(side: 'public' | 'private'): string {
  return `var.network.existing == null ? aws_subnet.${side}[*].id : var.network.existing.${side}_subnet_ids`;
}
