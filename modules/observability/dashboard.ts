import { Fn } from 'cdktf';
import { signals } from './signals.ts';
import type { ServicePlaces, WatchedService } from './service-alarms.ts';
import type { EdgePlaces } from './edge-alarms.ts';

export interface DashboardPlaces extends ServicePlaces, EdgePlaces {
  readonly region: string;
  readonly inbound: string;
  readonly derived: string;
  readonly bus: string;
  /** Tokens for `outboundMetrics` of what comes in, and of the age of what is unread. */
  readonly routed: readonly unknown[];
  readonly unread: readonly unknown[];
  readonly services: readonly WatchedService[];
}

type Metric = unknown;

const widgetWidth = 8;
const widgetHeight = 6;

/** Rows in the order events travel: in, routed, behind, kept, refused, sound. Adds a line per outbound stream. */
export function dashboardBody(places: DashboardPlaces): string {
  const rows = [edgeRow(places), streamRow(places), consumerRow(places), soundRow(places)];
  return Fn.jsonencode({
    widgets: rows.flatMap((row, y) =>
      row.map((properties, x) => ({
        type: 'metric',
        x: x * widgetWidth,
        y: y * widgetHeight,
        width: widgetWidth,
        height: widgetHeight,
        properties: { region: places.region, view: 'timeSeries', period: 60, ...properties },
      })),
    ),
  });
}

interface Widget {
  readonly title: string;
  readonly stat: string;
  readonly metrics: readonly Metric[];
}

function edgeRow(places: DashboardPlaces): readonly Widget[] {
  const balancer = ['LoadBalancer', places.loadBalancer];
  return [
    {
      title: 'Requests at the edge',
      stat: 'Sum',
      metrics: [
        ['AWS/ApplicationELB', 'RequestCount', ...balancer],
        ['AWS/ApplicationELB', 'HTTPCode_Target_4XX_Count', ...balancer],
        ['AWS/ApplicationELB', 'HTTPCode_Target_5XX_Count', ...balancer],
      ],
    },
    {
      title: 'Time to a receipt (p99)',
      stat: 'p99',
      metrics: [['AWS/ApplicationELB', 'TargetResponseTime', ...balancer]],
    },
    {
      title: 'Accepted: records on inbound',
      stat: 'Sum',
      metrics: [
        ['AWS/Kinesis', 'IncomingRecords', 'StreamName', places.inbound],
        ['AWS/Kinesis', 'WriteProvisionedThroughputExceeded', 'StreamName', places.inbound],
      ],
    },
  ];
}

/** One line per outbound stream, whatever tfvars names: an HCL expression for CloudWatch's list of metrics. */
export function outboundMetrics(metric: string): string {
  return `[for short, name in local.outbound_names : ["AWS/Kinesis", "${metric}", "StreamName", name, { label = short }]]`;
}

function streamRow(places: DashboardPlaces): readonly Widget[] {
  return [
    {
      title: 'Routed: records per stream',
      stat: 'Sum',
      metrics: places.routed,
    },
    {
      title: 'Oldest unread record per stream (ms)',
      stat: 'Maximum',
      metrics: places.unread,
    },
    {
      title: 'Work on the bus',
      stat: 'Maximum',
      metrics: [
        ['AWS/SQS', 'ApproximateNumberOfMessagesVisible', 'QueueName', places.bus],
        ['AWS/SQS', 'ApproximateAgeOfOldestMessage', 'QueueName', places.bus, { yAxis: 'right' }],
      ],
    },
  ];
}

function consumerRow(places: DashboardPlaces): readonly Widget[] {
  const workers = places.services.filter((service) => service.kind === 'worker');
  const own = (metric: string): readonly Metric[] =>
    workers.map((service) => [places.namespace, metric, 'Service', service.name]);
  return [
    { title: 'Lag per consumer (ms)', stat: 'Maximum', metrics: own(signals.lag.metric) },
    { title: 'Set aside: dead letters', stat: 'Sum', metrics: own(signals.deadLetters.metric) },
    { title: 'Shards without a reader', stat: 'Maximum', metrics: own(signals.unownedShards.metric) },
  ];
}

function soundRow(places: DashboardPlaces): readonly Widget[] {
  const tasks = (metric: string): readonly Metric[] =>
    places.services.map((service) => [
      'ECS/ContainerInsights',
      metric,
      'ClusterName',
      places.clusterName,
      'ServiceName',
      service.name,
    ]);
  return [
    {
      title: 'Ledger difference (must be 0)',
      stat: 'Maximum',
      metrics: [[places.namespace, signals.ledgerDifference.metric, 'Service', 'query']],
    },
    { title: 'Running tasks', stat: 'Minimum', metrics: tasks('RunningTaskCount') },
    {
      title: 'Errors logged',
      stat: 'Sum',
      metrics: places.services.map((service) => [places.namespace, 'Errors', 'Service', service.name]),
    },
  ];
}
