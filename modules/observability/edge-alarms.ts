import type { AlarmDefinition, AlarmMetric } from './alarm.ts';

export interface EdgePlaces {
  /** `app/NAME/ID` */
  readonly loadBalancer: string;
  /** Service name → `targetgroup/NAME/ID`. */
  readonly targetGroups: Readonly<Record<string, string>>;
}

/** Answers of 5xx in five minutes that are no accident any more. */
const failuresMax = 10;

/** What clients see. */
export function edgeAlarms(places: EdgePlaces): readonly AlarmDefinition[] {
  return [
    {
      id: 'edge-failures',
      what: 'The load balancer itself answers 5xx: no healthy task, or the firewall cannot be reached.',
      metrics: [metric('HTTPCode_ELB_5XX_Count', 'Sum', { LoadBalancer: places.loadBalancer })],
      above: failuresMax,
      periodSeconds: 300,
      badOf: [1, 1],
    },
    ...Object.entries(places.targetGroups).flatMap(([service, targetGroup]) =>
      httpAlarms(service, { LoadBalancer: places.loadBalancer, TargetGroup: targetGroup }),
    ),
  ];
}

function httpAlarms(
  service: string,
  dimensions: Readonly<Record<string, string>>,
): readonly AlarmDefinition[] {
  return [
    {
      id: `${service}-failures`,
      what: `${service} answers 5xx. Its log has the reason of each, under the request's id.`,
      metrics: [metric('HTTPCode_Target_5XX_Count', 'Sum', dimensions)],
      above: failuresMax,
      periodSeconds: 300,
      badOf: [1, 1],
    },
    {
      id: `${service}-slow`,
      what: `${service} answers slowly (p99 above alarms.p99_ms). Is its stream or table throttled, or its CPU full?`,
      metrics: [metric('TargetResponseTime', 'p99', dimensions)],
      above: 'var.alarms.p99_ms / 1000',
      periodSeconds: 60,
      badOf: [10, 15],
    },
    {
      id: `${service}-unhealthy`,
      what: `Tasks of ${service} fail their readiness check: ask /readyz why.`,
      metrics: [metric('UnHealthyHostCount', 'Maximum', dimensions)],
      above: 0,
      periodSeconds: 60,
      badOf: [5, 5],
    },
  ];
}

function metric(
  name: string,
  stat: AlarmMetric['stat'],
  dimensions: Readonly<Record<string, string>>,
): AlarmMetric {
  return { id: 'value', namespace: 'AWS/ApplicationELB', name, dimensions, stat };
}
