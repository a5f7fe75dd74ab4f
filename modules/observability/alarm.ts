import { CloudwatchMetricAlarm } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import type { CloudwatchMetricAlarmConfig } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import { Token } from 'cdktf';
import type { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';

export interface AlarmContext {
  readonly naming: Naming;
  readonly topicArn: string;
}

/** One metric of an alarm; `id` is its name in the expression. */
export interface AlarmMetric {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly stat: 'Sum' | 'Maximum' | 'Minimum' | 'Average' | 'p99';
}

export interface AlarmDefinition {
  /** Short and unique; docs/operations.md has a paragraph under this name. */
  readonly id: string;
  /** What is wrong and what to do first. */
  readonly what: string;
  readonly metrics: readonly AlarmMetric[];
  /** Over the ids of the metrics; absent when there is one metric. */
  readonly expression?: string;
  /** A number, or an HCL expression for it. */
  readonly above: number | string;
  readonly periodSeconds: number;
  /** Bad data points out of the last ones, e.g. [3, 5]. */
  readonly badOf: readonly [number, number];
  /** `breaching` only for what must always send data. */
  readonly missing?: 'notBreaching' | 'breaching' | 'ignore';
  /** One alarm per key of this HCL map; `${each.key}` is then part of the name. */
  readonly forEach?: CloudwatchMetricAlarmConfig['forEach'];
  readonly count?: CloudwatchMetricAlarmConfig['count'];
}

/** CloudWatch takes these periods only, and multiples of 60. */
const shortPeriods = [10, 20, 30];

/** An alarm that says when it starts and when it is over. Limits of CloudWatch are checked here. */
export function alarm(
  scope: Construct,
  context: AlarmContext,
  definition: AlarmDefinition,
): CloudwatchMetricAlarm {
  check(definition);
  const { naming, topicArn } = context;
  const [bad, last] = definition.badOf;
  const each = definition.forEach ? '-${each.key}' : '';
  const element = new CloudwatchMetricAlarm(scope, `alarm-${definition.id}`, {
    alarmName: `${naming.name(definition.id)}${each}`,
    alarmDescription: definition.what,
    comparisonOperator: 'GreaterThanThreshold',
    threshold:
      typeof definition.above === 'number' ? definition.above : Token.asNumber(`\${${definition.above}}`),
    evaluationPeriods: last,
    datapointsToAlarm: bad,
    treatMissingData: definition.missing ?? 'notBreaching',
    actionsEnabled: true,
    alarmActions: [topicArn],
    okActions: [topicArn],
    ...metricsOf(definition),
    ...(definition.forEach ? { forEach: definition.forEach } : {}),
    ...(definition.count ? { count: definition.count } : {}),
  });
  return pin(element, definition.id.replaceAll('-', '_'));
}

function check(definition: AlarmDefinition): void {
  const [bad, last] = definition.badOf;
  const period = definition.periodSeconds;
  if (!shortPeriods.includes(period) && (period < 60 || period % 60 !== 0)) {
    throw new RangeError(
      `alarm ${definition.id}: a period of ${period} s is not 10, 20, 30 or a multiple of 60`,
    );
  }
  if (bad < 1 || bad > last || last * period > 604_800) {
    throw new RangeError(
      `alarm ${definition.id}: ${bad} of ${last} periods of ${period} s must fit in 7 days`,
    );
  }
  if (definition.metrics.length !== 1 && !definition.expression) {
    throw new RangeError(`alarm ${definition.id}: ${definition.metrics.length} metrics need an expression`);
  }
}

function metricsOf(definition: AlarmDefinition): Partial<CloudwatchMetricAlarmConfig> {
  const [only] = definition.metrics;
  if (only && !definition.expression) {
    return {
      namespace: only.namespace,
      metricName: only.name,
      dimensions: only.dimensions,
      period: definition.periodSeconds,
      ...(only.stat === 'p99' ? { extendedStatistic: only.stat } : { statistic: only.stat }),
    };
  }
  return {
    metricQuery: [
      { id: 'result', expression: definition.expression ?? '', label: definition.id, returnData: true },
      ...definition.metrics.map((metric) => ({
        id: metric.id,
        metric: {
          namespace: metric.namespace,
          metricName: metric.name,
          dimensions: metric.dimensions,
          stat: metric.stat,
          period: definition.periodSeconds,
        },
      })),
    ],
  };
}
