import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js';
import { CloudwatchLogMetricFilter } from '@cdktf/provider-aws/lib/cloudwatch-log-metric-filter/index.js';
import { Token } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { alarm } from '../observability/alarm.ts';
import { errors, patternOf, type Signal } from '../observability/signals.ts';
import { pin } from '../terraform/pin.ts';

export interface ServiceLogsProps {
  readonly naming: Naming;
  readonly service: string;
  /** The key of logs. */
  readonly keyArn: string;
  /** Where alarms go. */
  readonly topicArn: string;
  readonly signals: readonly Signal[];
}

/** Error lines in a minute that a service may log without being taken for broken. */
const errorsPerMinuteMax = 5;

/** The log group of a service, the numbers that are made of its lines, and the alarm that rolls a release back. */
export class ServiceLogs extends Construct {
  readonly groupName: string;
  readonly group: CloudwatchLogGroup;
  readonly errorsAlarmName: string;

  constructor(scope: Construct, props: ServiceLogsProps) {
    super(scope, 'logs');
    const { naming, service } = props;
    this.groupName = `/${naming.prefix}/service/${service}`;
    this.group = new CloudwatchLogGroup(this, 'group', {
      name: this.groupName,
      retentionInDays: Token.asNumber('${var.log_retention_days}'),
      kmsKeyId: props.keyArn,
    });
    pin(this.group, service.replaceAll('-', '_'));
    for (const signal of props.signals) this.#filter(props, signal);
    this.errorsAlarmName = this.#alarm(props);
  }

  #filter(props: ServiceLogsProps, signal: Signal): void {
    new CloudwatchLogMetricFilter(this, signal.metric, {
      name: signal.metric,
      logGroupName: this.group.name,
      pattern: patternOf(signal),
      metricTransformation: {
        namespace: namespaceOf(props.naming),
        name: signal.metric,
        value: signal.field ? `$.${signal.field}` : '1',
        dimensions: { Service: '$.service' },
      },
    });
  }

  #alarm(props: ServiceLogsProps): string {
    const { naming, service } = props;
    const made = alarm(this, props, {
      id: `${service}-errors`,
      what: `${service} logs more than ${errorsPerMinuteMax} errors a minute. A release under way is rolled back; read its log group.`,
      metrics: [
        {
          id: 'errors',
          namespace: namespaceOf(naming),
          name: errors.metric,
          dimensions: { Service: service },
          stat: 'Sum',
        },
      ],
      above: errorsPerMinuteMax,
      periodSeconds: 60,
      badOf: [2, 3],
    });
    return made.alarmName;
  }
}

/** Of the platform's own metrics. */
export function namespaceOf(naming: Naming): string {
  return `Weir/${naming.prefix}`;
}
