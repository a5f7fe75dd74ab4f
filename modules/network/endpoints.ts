import { SecurityGroup } from '@cdktf/provider-aws/lib/security-group/index.js';
import { VpcEndpoint } from '@cdktf/provider-aws/lib/vpc-endpoint/index.js';
import { VpcSecurityGroupIngressRule } from '@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js';
import { TerraformCount, TerraformIterator, Token } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { local } from '../terraform/local.ts';
import { pin } from '../terraform/pin.ts';

/** Ways to AWS that do not cross the internet. Those of S3 and DynamoDB cost nothing, so they are always there. */
export class Endpoints extends Construct {
  constructor(scope: Construct, naming: Naming) {
    super(scope, 'endpoints');
    this.#gateway(naming, 's3');
    this.#gateway(naming, 'dynamodb');
    this.#interfaces(naming);
  }

  #gateway(naming: Naming, service: string): void {
    const endpoint = new VpcEndpoint(this, service, {
      count: TerraformCount.of(Token.asNumber('${local.own_vpc}')),
      vpcId: '${one(aws_vpc.platform[*].id)}',
      serviceName: `com.amazonaws.${naming.region}.${service}`,
      vpcEndpointType: 'Gateway',
      routeTableIds: Token.asList('${aws_route_table.private[*].id}'),
      tags: { Name: naming.name(service) },
    });
    pin(endpoint, service);
  }

  #interfaces(naming: Naming): void {
    const wanted = local(
      this,
      'interface_endpoints',
      'var.network.existing == null ? var.network.interface_endpoints : toset([])',
    );
    const some = TerraformCount.of(Token.asNumber('${local.own_vpc}'));
    const group = new SecurityGroup(this, 'group', {
      count: some,
      name: naming.name('endpoints'),
      description: 'HTTPS from inside the VPC to the interface endpoints',
      vpcId: '${one(aws_vpc.platform[*].id)}',
    });
    pin(group, 'endpoints');
    new VpcSecurityGroupIngressRule(this, 'https', {
      count: some,
      securityGroupId: '${aws_security_group.endpoints[count.index].id}',
      description: 'HTTPS from inside the VPC',
      cidrIpv4: '${var.network.cidr}',
      ipProtocol: 'tcp',
      fromPort: 443,
      toPort: 443,
    });
    const endpoint = new VpcEndpoint(this, 'interface', {
      forEach: TerraformIterator.fromList(wanted.asList),
      vpcId: '${one(aws_vpc.platform[*].id)}',
      serviceName: `com.amazonaws.${naming.region}.\${each.value}`,
      vpcEndpointType: 'Interface',
      privateDnsEnabled: true,
      subnetIds: Token.asList('${aws_subnet.private[*].id}'),
      securityGroupIds: Token.asList('${aws_security_group.endpoints[*].id}'),
      tags: { Name: `${naming.prefix}-\${each.value}` },
    });
    pin(endpoint, 'interface');
  }
}
