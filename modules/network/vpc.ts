import { DataAwsAvailabilityZones } from '@cdktf/provider-aws/lib/data-aws-availability-zones/index.js';
import { DefaultSecurityGroup } from '@cdktf/provider-aws/lib/default-security-group/index.js';
import { Eip } from '@cdktf/provider-aws/lib/eip/index.js';
import { InternetGateway } from '@cdktf/provider-aws/lib/internet-gateway/index.js';
import { NatGateway } from '@cdktf/provider-aws/lib/nat-gateway/index.js';
import { Route } from '@cdktf/provider-aws/lib/route/index.js';
import { RouteTable } from '@cdktf/provider-aws/lib/route-table/index.js';
import { RouteTableAssociation } from '@cdktf/provider-aws/lib/route-table-association/index.js';
import { Subnet } from '@cdktf/provider-aws/lib/subnet/index.js';
import { Vpc } from '@cdktf/provider-aws/lib/vpc/index.js';
import { TerraformCount, Token } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { local } from '../terraform/local.ts';
import { pin } from '../terraform/pin.ts';

const count = (hcl: string): TerraformCount => TerraformCount.of(Token.asNumber(`\${${hcl}}`));
const everywhere = '0.0.0.0/0';

/** Public subnets for the load balancer and NAT, private ones for tasks; nothing when an existing VPC is given. */
export class OwnVpc extends Construct {
  constructor(scope: Construct, naming: Naming) {
    super(scope, 'vpc');
    const zones = new DataAwsAvailabilityZones(this, 'zones', {
      state: 'available',
      // Local and Wavelength zones have no Fargate.
      filter: [{ name: 'opt-in-status', values: ['opt-in-not-required'] }],
    });
    pin(zones, 'zones');
    this.#vpc(naming);
    this.#subnets(naming, 'public', 0);
    this.#subnets(naming, 'private', 8);
    this.#publicRoutes(naming);
    this.#nat(naming);
    this.#privateRoutes(naming);
  }

  #vpc(naming: Naming): void {
    const vpc = new Vpc(this, 'vpc', {
      count: count('local.own_vpc'),
      cidrBlock: '${var.network.cidr}',
      enableDnsSupport: true,
      enableDnsHostnames: true,
      tags: { Name: naming.prefix },
    });
    pin(vpc, 'platform');
    // Whatever is started without a group of its own reaches nothing.
    const none = new DefaultSecurityGroup(this, 'default-group', {
      count: count('local.own_vpc'),
      vpcId: '${aws_vpc.platform[count.index].id}',
    });
    // Said aloud: left out, Terraform would adopt whatever rules are there.
    none.addOverride('ingress', []);
    none.addOverride('egress', []);
    pin(none, 'closed');
  }

  /** The range is cut in sixteen: public subnets from the first part, private ones from the ninth. */
  #subnets(naming: Naming, side: 'public' | 'private', first: number): void {
    const subnet = new Subnet(this, side, {
      count: count('local.own_azs'),
      vpcId: '${one(aws_vpc.platform[*].id)}',
      cidrBlock: `\${cidrsubnet(var.network.cidr, 4, ${first} + count.index)}`,
      availabilityZone: '${data.aws_availability_zones.zones.names[count.index]}',
      mapPublicIpOnLaunch: false,
      tags: { Name: `${naming.prefix}-${side}` },
    });
    pin(subnet, side);
  }

  #publicRoutes(naming: Naming): void {
    const tags = { Name: naming.name('public') };
    const gateway = new InternetGateway(this, 'internet', {
      count: count('local.own_vpc'),
      vpcId: '${aws_vpc.platform[count.index].id}',
      tags,
    });
    pin(gateway, 'internet');
    const table = new RouteTable(this, 'public-routes', {
      count: count('local.own_vpc'),
      vpcId: '${aws_vpc.platform[count.index].id}',
      tags,
    });
    pin(table, 'public');
    new Route(this, 'to-internet', {
      count: count('local.own_vpc'),
      routeTableId: '${aws_route_table.public[count.index].id}',
      destinationCidrBlock: everywhere,
      gatewayId: '${aws_internet_gateway.internet[count.index].id}',
    });
    new RouteTableAssociation(this, 'public-association', {
      count: count('local.own_azs'),
      routeTableId: '${one(aws_route_table.public[*].id)}',
      subnetId: '${aws_subnet.public[count.index].id}',
    });
  }

  #nat(naming: Naming): void {
    local(
      this,
      'nat_count',
      'var.network.nat_mode == "none" ? 0 : (var.network.nat_mode == "single" ? min(1, local.own_azs) : local.own_azs)',
    );
    const tags = { Name: naming.name('nat') };
    pin(new Eip(this, 'nat-address', { count: count('local.nat_count'), domain: 'vpc', tags }), 'nat');
    const nat = new NatGateway(this, 'nat', {
      count: count('local.nat_count'),
      allocationId: '${aws_eip.nat[count.index].id}',
      subnetId: '${aws_subnet.public[count.index].id}',
      tags,
    });
    pin(nat, 'nat');
  }

  #privateRoutes(naming: Naming): void {
    const table = new RouteTable(this, 'private-routes', {
      count: count('local.own_azs'),
      vpcId: '${one(aws_vpc.platform[*].id)}',
      tags: { Name: naming.name('private') },
    });
    pin(table, 'private');
    new Route(this, 'to-nat', {
      count: count('local.nat_count == 0 ? 0 : local.own_azs'),
      routeTableId: '${aws_route_table.private[count.index].id}',
      destinationCidrBlock: everywhere,
      natGatewayId: '${aws_nat_gateway.nat[min(count.index, local.nat_count - 1)].id}',
    });
    new RouteTableAssociation(this, 'private-association', {
      count: count('local.own_azs'),
      routeTableId: '${aws_route_table.private[count.index].id}',
      subnetId: '${aws_subnet.private[count.index].id}',
    });
  }
}
