import { CloudwatchCompositeAlarm } from '@cdktf/provider-aws/lib/cloudwatch-composite-alarm/index.js';
import { CloudwatchDashboard } from '@cdktf/provider-aws/lib/cloudwatch-dashboard/index.js';
import type { CloudwatchMetricAlarm } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import { Construct } from 'constructs';
import { catalogue } from '../../services/catalogue.ts';
import type { Bus } from '../bus/index.ts';
import type { Cluster } from '../cluster/index.ts';
import type { Edge } from '../edge/index.ts';
import type { Naming } from '../naming/index.ts';
import { namespaceOf } from '../service/logs.ts';
import type { Streams } from '../streams/index.ts';
import type { Tables } from '../tables/index.ts';
import { local } from '../terraform/local.ts';
import { pin } from '../terraform/pin.ts';
import { alarm, type AlarmDefinition } from './alarm.ts';
import { dashboardBody, outboundMetrics } from './dashboard.ts';
import { edgeAlarms } from './edge-alarms.ts';
import { serviceAlarms, type WatchedService } from './service-alarms.ts';
import { storageAlarms } from './storage-alarms.ts';
import { streamAlarms } from './stream-alarms.ts';

export interface ObservabilityProps {
  readonly naming: Naming;
  readonly topicArn: string;
  readonly cluster: Cluster;
  readonly streams: Streams;
  readonly tables: Tables;
  readonly bus: Bus;
  readonly edge: Edge;
  /** Service name → `targetgroup/NAME/ID` of each http service. */
  readonly targetGroups: Readonly<Record<string, string>>;
}

const watched: readonly WatchedService[] = Object.values(catalogue);

/** Alarms whose cause loses, hides or refuses events; any of them makes the platform unhealthy. */
const vital =
  /-(data-loss|stopped-shards|unowned-shards|lag|tasks)$|^(inbound|derived)-age$|^ledger-difference$|^edge-failures$/;

/** Alarms in the order events travel, one that stands for all, and the dashboard. */
export class Observability extends Construct {
  constructor(scope: Construct, props: ObservabilityProps) {
    super(scope, 'observability');
    const { naming, topicArn, cluster } = props;
    const places = {
      clusterName: cluster.name,
      namespace: namespaceOf(naming),
      loadBalancer: props.edge.loadBalancer.arnSuffix,
      targetGroups: props.targetGroups,
    };
    const definitions: readonly AlarmDefinition[] = [
      ...edgeAlarms(places),
      ...streamAlarms(naming),
      ...watched.flatMap((service) => serviceAlarms(service, places)),
      ...storageAlarms({
        tableName: (table) => props.tables.name(table),
        busName: props.bus.name,
        busDeadLettersName: props.bus.deadLettersName,
        rawArchiveName: naming.name('raw-archive'),
      }),
    ];
    const alarms = definitions.map((definition) => alarm(this, { naming, topicArn }, definition));
    this.#health(
      props,
      alarms.filter((_, index) => vital.test(definitions[index]?.id ?? '')),
    );
    const dashboard = new CloudwatchDashboard(this, 'dashboard', {
      dashboardName: naming.prefix,
      dashboardBody: dashboardBody({
        ...places,
        region: naming.region,
        inbound: props.streams.inbound,
        derived: props.streams.derived,
        bus: props.bus.name,
        routed: local(this, 'routed_metrics', outboundMetrics('IncomingRecords')).asList,
        unread: local(this, 'unread_metrics', outboundMetrics('GetRecords.IteratorAgeMilliseconds')).asList,
        services: watched,
      }),
    });
    pin(dashboard, 'platform');
  }

  #health(props: ObservabilityProps, children: readonly CloudwatchMetricAlarm[]): void {
    const { naming, topicArn } = props;
    const composite = new CloudwatchCompositeAlarm(this, 'health', {
      alarmName: naming.name('unhealthy'),
      alarmDescription: 'Events are being lost, hidden or refused. The alarms that are on say where.',
      alarmRule: children.map((child) => `ALARM("${child.alarmName}")`).join(' OR '),
      alarmActions: [topicArn],
      okActions: [topicArn],
    });
    pin(composite, 'unhealthy');
  }
}
