import { EcsService } from '@cdktf/provider-aws/lib/ecs-service/index.js';
import type { EcsServiceLoadBalancer } from '@cdktf/provider-aws/lib/ecs-service/index.js';
import { EcsTaskDefinition } from '@cdktf/provider-aws/lib/ecs-task-definition/index.js';
import { SecurityGroup } from '@cdktf/provider-aws/lib/security-group/index.js';
import { VpcSecurityGroupEgressRule } from '@cdktf/provider-aws/lib/vpc-security-group-egress-rule/index.js';
import { Token, type TerraformResource } from 'cdktf';
import { Construct } from 'constructs';
import type { ServiceName } from '../../services/catalogue.ts';
import type { Cluster } from '../cluster/index.ts';
import { withCollector } from '../monitoring-export/index.ts';
import type { Naming } from '../naming/index.ts';
import type { Network } from '../network/index.ts';
import { signalsOf } from '../observability/signals.ts';
import { Scaling } from '../scaling/index.ts';
import { localText } from '../terraform/local.ts';
import { pin } from '../terraform/pin.ts';
import { containerDefinitions } from './container.ts';
import { ServiceLogs } from './logs.ts';

/** What every service is given by the platform. */
export interface ServiceProps {
  readonly naming: Naming;
  readonly network: Network;
  readonly cluster: Cluster;
  readonly service: ServiceName;
  /** What the service's config.ts declares, with the names of this installation. */
  readonly environment: Readonly<Record<string, string>>;
  /** The image, without tag. */
  readonly repositoryUrl: string;
  readonly taskRoleArn: string;
  readonly executionRoleArn: string;
  /** The key of logs. */
  readonly logKeyArn: string;
  /** Where alarms go. */
  readonly topicArn: string;
}

/** How a kind of service differs from the others. */
export interface ServiceKind {
  readonly kind: 'worker' | 'http';
  readonly loadBalancer?: EcsServiceLoadBalancer;
  /** ECS moves tasks between zones to balance them; for a lease holder each move is a pause of its shards. */
  readonly zoneRebalancing: 'ENABLED' | 'DISABLED';
  readonly gracePeriodSeconds?: number;
  readonly dependsOn?: readonly TerraformResource[];
}

/** One long-lived Fargate service: its log group, task definition, security group and the ECS service itself. */
export class Service extends Construct {
  readonly securityGroupId: string;
  readonly ecs: EcsService;
  readonly logs: ServiceLogs;

  constructor(scope: Construct, id: string, props: ServiceProps, kind: ServiceKind) {
    super(scope, id);
    const group = this.#securityGroup(props);
    this.securityGroupId = group.id;
    this.logs = new ServiceLogs(this, {
      naming: props.naming,
      service: props.service,
      keyArn: props.logKeyArn,
      topicArn: props.topicArn,
      signals: signalsOf(kind.kind, props.service),
    });
    this.ecs = this.#service(props, kind, this.#task(props), group);
    new Scaling(this, {
      naming: props.naming,
      clusterName: props.cluster.name,
      service: props.service,
      kind: kind.kind,
      ecs: this.ecs,
    });
  }

  #task(props: ServiceProps): EcsTaskDefinition {
    const { naming, service } = props;
    const size = `var.services["${service}"]`;
    const task = new EcsTaskDefinition(this, 'task', {
      family: naming.name(service),
      cpu: `\${${size}.cpu}`,
      memory: `\${${size}.memory}`,
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' },
      taskRoleArn: props.taskRoleArn,
      executionRoleArn: props.executionRoleArn,
      // The revision before stays registered, so that a rollback has somewhere to go.
      skipDestroy: true,
      containerDefinitions: this.#containers(props, `${size}.image_tag`),
      dependsOn: [this.logs.group],
    });
    return pin(task, service.replaceAll('-', '_'));
  }

  /** Ours, and the collector's where metrics are exported. Known when the plan is made, whatever the choice. */
  #containers(props: ServiceProps, imageTag: string): string {
    const { naming, service } = props;
    const noun = service.replaceAll('-', '_');
    const ours = containerDefinitions({
      service,
      image: localText(
        this,
        `${noun}_image`,
        `${props.repositoryUrl}:\${coalesce(${imageTag}, var.image_tag)}`,
      ),
      environment: this.#environment(props),
      logGroup: this.logs.groupName,
      region: naming.region,
    });
    localText(this, `${noun}_containers`, ours);
    return withCollector(`${noun}_containers`);
  }

  /** JSON values have quotes, so they go by a local. */
  #environment(props: ServiceProps): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(props.environment).map(([name, value]) => [
        name,
        value.includes('"')
          ? localText(this, `${props.service.replaceAll('-', '_')}_${name.toLowerCase()}`, value)
          : value,
      ]),
    );
  }

  #securityGroup(props: ServiceProps): SecurityGroup {
    const group = new SecurityGroup(this, 'group', {
      name: props.naming.name(props.service),
      description: `Tasks of ${props.service}`,
      vpcId: props.network.vpcId,
    });
    pin(group, props.service.replaceAll('-', '_'));
    new VpcSecurityGroupEgressRule(this, 'https', {
      securityGroupId: group.id,
      description: 'HTTPS to AWS',
      cidrIpv4: '0.0.0.0/0',
      ipProtocol: 'tcp',
      fromPort: 443,
      toPort: 443,
    });
    return group;
  }

  #service(
    props: ServiceProps,
    kind: ServiceKind,
    task: EcsTaskDefinition,
    group: SecurityGroup,
  ): EcsService {
    const size = `var.services["${props.service}"]`;
    const service = new EcsService(this, 'service', {
      name: props.service,
      cluster: props.cluster.arn,
      taskDefinition: task.arn,
      desiredCount: Token.asNumber(`\${coalesce(${size}.desired_count, ${size}.min_count)}`),
      platformVersion: '1.4.0',
      capacityProviderStrategy: [
        { capacityProvider: 'FARGATE', base: 1, weight: 1 },
        { capacityProvider: 'FARGATE_SPOT', weight: Token.asNumber(`\${${size}.spot_weight}`) },
      ],
      // Without it a changed Spot weight would replace the service instead of updating it.
      forceNewDeployment: true,
      networkConfiguration: {
        subnets: props.network.privateSubnetIds,
        securityGroups: [group.id],
        assignPublicIp: false,
      },
      // Room for one more of each: with less, a service of one task could never be deployed.
      deploymentMinimumHealthyPercent: 100,
      deploymentMaximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
      alarms: { alarmNames: [this.logs.errorsAlarmName], enable: true, rollback: true },
      availabilityZoneRebalancing: kind.zoneRebalancing,
      enableExecuteCommand: false,
      enableEcsManagedTags: true,
      propagateTags: 'SERVICE',
      ...(kind.loadBalancer ? { loadBalancer: [kind.loadBalancer] } : {}),
      ...(kind.gracePeriodSeconds ? { healthCheckGracePeriodSeconds: kind.gracePeriodSeconds } : {}),
      // Scaling owns the number of tasks; min_count and max_count still act on apply.
      lifecycle: { ignoreChanges: ['desired_count'] },
      dependsOn: [props.cluster.ready, ...(kind.dependsOn ?? [])],
    });
    return pin(service, props.service.replaceAll('-', '_'));
  }
}
