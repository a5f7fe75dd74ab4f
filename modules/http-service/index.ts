import { LbListenerCertificate } from '@cdktf/provider-aws/lib/lb-listener-certificate/index.js';
import { LbListenerRule } from '@cdktf/provider-aws/lib/lb-listener-rule/index.js';
import { LbTargetGroup } from '@cdktf/provider-aws/lib/lb-target-group/index.js';
import { Route53Record } from '@cdktf/provider-aws/lib/route53-record/index.js';
import { VpcSecurityGroupEgressRule } from '@cdktf/provider-aws/lib/vpc-security-group-egress-rule/index.js';
import { VpcSecurityGroupIngressRule } from '@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js';
import { Construct } from 'constructs';
import { Certificate } from '../edge/certificate.ts';
import type { Edge } from '../edge/index.ts';
import { containerPort } from '../service/container.ts';
import { Service, type ServiceProps } from '../service/index.ts';
import { pin } from '../terraform/pin.ts';

export interface HttpServiceProps extends ServiceProps {
  readonly edge: Edge;
  /** Order of the listener's rules; different for each service. 1 … 50000. */
  readonly priority: number;
}

/** A request that is under way may take this long to finish on a task that goes. */
const deregistrationSeconds = 30;
/** Until the first answer of a new task; before that its health is not counted. */
const gracePeriodSeconds = 60;

/** A service that clients reach as NAME.DOMAIN through the load balancer. */
export class HttpService extends Construct {
  readonly service: Service;
  readonly targets: LbTargetGroup;

  constructor(scope: Construct, props: HttpServiceProps) {
    super(scope, props.service);
    if (!Number.isInteger(props.priority) || props.priority < 1 || props.priority > 50_000) {
      throw new RangeError(
        `${props.service}: the listener priority must be 1 to 50000, not ${props.priority}`,
      );
    }
    this.targets = this.#targets(props);
    const rule = this.#route(props);
    this.service = new Service(this, 'tasks', props, {
      kind: 'http',
      zoneRebalancing: 'ENABLED',
      gracePeriodSeconds,
      loadBalancer: {
        targetGroupArn: this.targets.arn,
        containerName: props.service,
        containerPort,
      },
      // ECS refuses a target group that no listener uses.
      dependsOn: [rule],
    });
    this.#allow(props);
  }

  #targets(props: HttpServiceProps): LbTargetGroup {
    const group = new LbTargetGroup(this, 'targets', {
      name: props.naming.name(props.service),
      vpcId: props.network.vpcId,
      targetType: 'ip',
      port: containerPort,
      protocol: 'HTTP',
      deregistrationDelay: String(deregistrationSeconds),
      loadBalancingAlgorithmType: 'least_outstanding_requests',
      healthCheck: {
        path: '/readyz',
        matcher: '200',
        interval: 10,
        timeout: 5,
        healthyThreshold: 2,
        unhealthyThreshold: 3,
      },
    });
    return pin(group, props.service.replaceAll('-', '_'));
  }

  #route(props: HttpServiceProps): LbListenerRule {
    const { edge, service } = props;
    const name = `${service}.${edge.domain}`;
    const certificate = new Certificate(this, `${service}-certificate`, { zoneId: edge.zoneId, name });
    const ready = new LbListenerCertificate(this, 'certificate', {
      listenerArn: edge.listenerArn,
      certificateArn: certificate.arn,
    });
    new Route53Record(this, 'name', {
      zoneId: edge.zoneId,
      name,
      type: 'A',
      alias: {
        name: edge.loadBalancer.dnsName,
        zoneId: edge.loadBalancer.zoneId,
        evaluateTargetHealth: true,
      },
    });
    return new LbListenerRule(this, 'route', {
      listenerArn: edge.listenerArn,
      priority: props.priority,
      condition: [{ hostHeader: { values: [name] } }],
      action: [{ type: 'forward', targetGroupArn: this.targets.arn }],
      dependsOn: [ready],
    });
  }

  #allow(props: HttpServiceProps): void {
    new VpcSecurityGroupIngressRule(this, 'from-edge', {
      securityGroupId: this.service.securityGroupId,
      description: 'Requests from the load balancer',
      referencedSecurityGroupId: props.edge.securityGroupId,
      ipProtocol: 'tcp',
      fromPort: containerPort,
      toPort: containerPort,
    });
    new VpcSecurityGroupEgressRule(this, 'to-tasks', {
      securityGroupId: props.edge.securityGroupId,
      description: `Requests and health checks to ${props.service}`,
      referencedSecurityGroupId: this.service.securityGroupId,
      ipProtocol: 'tcp',
      fromPort: containerPort,
      toPort: containerPort,
    });
  }
}
