import { Lb } from '@cdktf/provider-aws/lib/lb/index.js';
import { LbListener } from '@cdktf/provider-aws/lib/lb-listener/index.js';
import { SecurityGroup } from '@cdktf/provider-aws/lib/security-group/index.js';
import { VpcSecurityGroupIngressRule } from '@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js';
import { TerraformIterator, Token, type TerraformResource } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import type { Network } from '../network/index.ts';
import { pin } from '../terraform/pin.ts';
import type { Variables } from '../variables/index.ts';
import { Certificate } from './certificate.ts';
import { Firewall } from './firewall.ts';

export interface EdgeProps {
  readonly naming: Naming;
  readonly variables: Variables;
  readonly network: Network;
  /** Access logs go here, under `edge/`; the load balancer refuses a bucket whose policy is not there yet. */
  readonly logBucket: string;
  readonly logBucketReady: TerraformResource;
  /** The key of the firewall's log. */
  readonly keyArn: string;
}

/** TLS 1.2 with forward secrecy at least, TLS 1.3 preferred. */
const tlsPolicy = 'ELBSecurityPolicy-TLS13-1-2-2021-06';
/** Live updates of the query service send a line at least every 15 s. */
const idleTimeoutSeconds = 120;

/** The one front door: HTTPS only, behind a firewall. A name that no service has gets 404. */
export class Edge extends Construct {
  readonly zoneId: string;
  readonly domain: string;
  readonly listenerArn: string;
  readonly securityGroupId: string;
  /** `app/NAME/ID`, the dimension of the load balancer's metrics. */
  readonly loadBalancer: Lb;

  constructor(scope: Construct, props: EdgeProps) {
    super(scope, 'edge');
    const { naming } = props;
    this.zoneId = props.variables.text('domain', 'zone_id');
    this.domain = props.variables.text('domain', 'name');
    const group = this.#securityGroup(props);
    this.securityGroupId = group.id;
    this.loadBalancer = this.#loadBalancer(props, group);
    new Firewall(this, { naming, loadBalancerArn: this.loadBalancer.arn, keyArn: props.keyArn });
    this.listenerArn = this.#listener();
  }

  #securityGroup(props: EdgeProps): SecurityGroup {
    const group = new SecurityGroup(this, 'group', {
      name: props.naming.name('edge'),
      description: 'HTTPS from clients to the load balancer',
      vpcId: props.network.vpcId,
    });
    pin(group, 'edge');
    new VpcSecurityGroupIngressRule(this, 'clients', {
      forEach: TerraformIterator.fromList(props.variables.list('edge', 'allowed_cidrs')),
      securityGroupId: group.id,
      description: 'HTTPS from clients',
      cidrIpv4: '${each.value}',
      ipProtocol: 'tcp',
      fromPort: 443,
      toPort: 443,
    });
    return group;
  }

  #loadBalancer(props: EdgeProps, group: SecurityGroup): Lb {
    const balancer = new Lb(this, 'balancer', {
      name: props.naming.name('edge'),
      loadBalancerType: 'application',
      internal: false,
      subnets: props.network.publicSubnetIds,
      securityGroups: [group.id],
      dropInvalidHeaderFields: true,
      desyncMitigationMode: 'defensive',
      enableDeletionProtection: Token.asAny('${var.deletion_protection}'),
      idleTimeout: idleTimeoutSeconds,
      accessLogs: { bucket: props.logBucket, prefix: 'edge', enabled: true },
      dependsOn: [props.logBucketReady],
    });
    return pin(balancer, 'edge');
  }

  #listener(): string {
    const certificate = new Certificate(this, 'edge-certificate', { zoneId: this.zoneId, name: this.domain });
    const listener = new LbListener(this, 'https', {
      loadBalancerArn: this.loadBalancer.arn,
      port: 443,
      protocol: 'HTTPS',
      sslPolicy: tlsPolicy,
      certificateArn: certificate.arn,
      defaultAction: [
        {
          type: 'fixed-response',
          fixedResponse: {
            contentType: 'application/json',
            statusCode: '404',
            messageBody: '{"type":"about:blank","title":"No service has this name","status":404}',
          },
        },
      ],
    });
    return pin(listener, 'https').arn;
  }
}
