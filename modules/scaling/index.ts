import { AppautoscalingPolicy } from '@cdktf/provider-aws/lib/appautoscaling-policy/index.js';
import { AppautoscalingTarget } from '@cdktf/provider-aws/lib/appautoscaling-target/index.js';
import { CloudwatchMetricAlarm } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import { Token, type TerraformResource } from 'cdktf';
import { Construct } from 'constructs';
import type { ServiceName } from '../../services/catalogue.ts';
import type { Naming } from '../naming/index.ts';
import { signals } from '../observability/signals.ts';
import { namespaceOf } from '../service/logs.ts';
import { pin } from '../terraform/pin.ts';

export interface ScalingProps {
  readonly naming: Naming;
  readonly clusterName: string;
  readonly service: ServiceName;
  readonly kind: 'worker' | 'http';
  readonly ecs: TerraformResource;
}

/** A new task takes about this long to be of use; until then the metrics say nothing about it. */
const outCooldownSeconds = 90;
/** Each task that goes hands its shards over, which is a pause for them: so not often. */
const inCooldownSeconds = 300;
/** Minutes of little to do before a worker task is taken away. */
const quietMinutes = 15;

/**
 * The number of tasks between min_count and max_count. Http services follow the CPU. Workers follow the CPU and
 * their own lag upwards; downwards only when lag and CPU are both low, so that the two never pull against each other.
 */
export class Scaling extends Construct {
  constructor(scope: Construct, props: ScalingProps) {
    super(scope, `${props.service}-scaling`);
    const target = this.#target(props);
    this.#cpu(props, target);
    if (props.kind === 'worker') {
      this.#behind(props, target);
      this.#quiet(props, target);
    }
  }

  #target(props: ScalingProps): AppautoscalingTarget {
    const size = `var.services["${props.service}"]`;
    const target = new AppautoscalingTarget(this, 'target', {
      serviceNamespace: 'ecs',
      scalableDimension: 'ecs:service:DesiredCount',
      resourceId: `service/${props.clusterName}/${props.service}`,
      minCapacity: Token.asNumber(`\${${size}.min_count}`),
      maxCapacity: Token.asNumber(`\${${size}.max_count}`),
      dependsOn: [props.ecs],
    });
    return pin(target, props.service.replaceAll('-', '_'));
  }

  #policy(target: AppautoscalingTarget, name: string) {
    return {
      name,
      serviceNamespace: target.serviceNamespace,
      scalableDimension: target.scalableDimension,
      resourceId: target.resourceId,
    };
  }

  #cpu(props: ScalingProps, target: AppautoscalingTarget): void {
    new AppautoscalingPolicy(this, 'cpu', {
      ...this.#policy(target, 'cpu'),
      policyType: 'TargetTrackingScaling',
      targetTrackingScalingPolicyConfiguration: {
        targetValue: Token.asNumber(`\${var.services["${props.service}"].cpu_target}`),
        predefinedMetricSpecification: { predefinedMetricType: 'ECSServiceAverageCPUUtilization' },
        scaleOutCooldown: outCooldownSeconds,
        scaleInCooldown: inCooldownSeconds,
        disableScaleIn: props.kind === 'worker',
      },
    });
  }

  #steps(target: AppautoscalingTarget, name: string, change: number, cooldown: number): string {
    return new AppautoscalingPolicy(this, name, {
      ...this.#policy(target, name),
      policyType: 'StepScaling',
      stepScalingPolicyConfiguration: {
        adjustmentType: 'ChangeInCapacity',
        metricAggregationType: 'Maximum',
        cooldown,
        stepAdjustment: [{ metricIntervalLowerBound: '0', scalingAdjustment: change }],
      },
    }).arn;
  }

  #behind(props: ScalingProps, target: AppautoscalingTarget): void {
    new CloudwatchMetricAlarm(this, 'behind-alarm', {
      alarmName: props.naming.name(`${props.service}-scale-out`),
      alarmDescription: `${props.service} is behind: one more task`,
      ...this.#metrics(props, `lag > \${var.services["${props.service}"].lag_target_ms}`),
      evaluationPeriods: 2,
      alarmActions: [this.#steps(target, 'behind', 1, outCooldownSeconds)],
    });
  }

  #quiet(props: ScalingProps, target: AppautoscalingTarget): void {
    const size = `var.services["${props.service}"]`;
    new CloudwatchMetricAlarm(this, 'quiet-alarm', {
      alarmName: props.naming.name(`${props.service}-scale-in`),
      alarmDescription: `${props.service} has little to do: one task less`,
      ...this.#metrics(props, `lag < \${${size}.lag_target_ms / 10} AND cpu < \${${size}.cpu_target / 2}`),
      evaluationPeriods: quietMinutes,
      alarmActions: [this.#steps(target, 'quiet', -1, inCooldownSeconds)],
    });
  }

  /** An alarm on lag and CPU of a service, minute by minute; nothing measured is no reason to act. */
  #metrics(props: ScalingProps, condition: string) {
    const metric = (namespace: string, metricName: string, dimensions: Record<string, string>) => ({
      namespace,
      metricName,
      dimensions,
      stat: 'Maximum',
      period: 60,
    });
    return {
      comparisonOperator: 'GreaterThanOrEqualToThreshold',
      threshold: 1,
      treatMissingData: 'notBreaching',
      actionsEnabled: true,
      metricQuery: [
        { id: 'act', expression: `IF(${condition}, 1, 0)`, label: 'act', returnData: true },
        {
          id: 'lag',
          metric: metric(namespaceOf(props.naming), signals.lag.metric, { Service: props.service }),
        },
        {
          id: 'cpu',
          metric: metric('AWS/ECS', 'CPUUtilization', {
            ClusterName: props.clusterName,
            ServiceName: props.service,
          }),
        },
      ],
    };
  }
}
