import { shareOf } from './capacity.ts';
import { blockOf, numberOf, streamNoun, textOf, type Item } from './inventory.ts';
import { hoursPerMonth, prices, secondsPerMonth } from './prices.ts';
import type { Traffic } from './traffic.ts';

/** One position of the monthly bill; `usd` undefined: it costs something, and the profile does not say how much. */
export interface CostLine {
  readonly what: string;
  readonly usd: number | undefined;
}

const gb = 1e9;
const million = 1e6;
/** PutRecords is billed in units of 25 KB. */
const putUnitBytes = 25_000;
/** Of the events table: one for the item, one for each index that names it. */
const writesPerEvent = 3;
const eventTtlSeconds = 30 * 86_400;
/** A worker checkpoints a shard every 3 s and renews its lease about as often. */
const leaseWritesPerShardSecond = 0.65;
/** Services that read every record of an outbound stream. */
const outboundReaders = 5;

type Pricing = (item: Item, traffic: Traffic, all: readonly Item[]) => readonly CostLine[];

/** What a month costs, by what is billed. Types that are not here cost nothing, or only by use that is priced elsewhere. */
export function monthlyCost(items: readonly Item[], traffic: Traffic): readonly CostLine[] {
  return [
    ...items.flatMap((item) => pricing[item.type]?.(item, traffic, items) ?? []),
    ...logCost(items, traffic),
  ];
}

export interface Total {
  readonly usd: number;
  readonly unknown: readonly string[];
}

export function total(lines: readonly CostLine[]): Total {
  return {
    usd: lines.reduce((sum, line) => sum + (line.usd ?? 0), 0),
    unknown: lines.filter((line) => line.usd === undefined).map((line) => line.what),
  };
}

function times(...factors: readonly (number | undefined)[]): number | undefined {
  return factors.reduce<number | undefined>(
    (product, factor) => (product === undefined || factor === undefined ? undefined : product * factor),
    1,
  );
}

const hourly = (usd: number): number => usd * hoursPerMonth;
const eventsPerMonth = (traffic: Traffic): number => traffic.averagePerSecond * secondsPerMonth;
const fixed =
  (what: string, usd: number): Pricing =>
  () => [{ what, usd }];

const stream: Pricing = (item, traffic) => {
  const name = streamNoun(item);
  const records = times(shareOf(name, traffic), eventsPerMonth(traffic));
  const onDemand = blockOf(item.values, 'stream_mode_details').stream_mode === 'ON_DEMAND';
  if (onDemand) {
    const bytes = times(records, traffic.eventBytes, 1 / gb);
    return [
      { what: `stream ${name}: hours`, usd: hourly(prices.kinesis.onDemandStreamHour) },
      { what: `stream ${name}: data in`, usd: times(bytes, prices.kinesis.onDemandGbIn) },
      { what: `stream ${name}: data out`, usd: times(bytes, readersOf(name), prices.kinesis.onDemandGbOut) },
    ];
  }
  const shards = numberOf(item.values, 'shard_count');
  const extended = (numberOf(item.values, 'retention_period') ?? 24) > 24;
  const shardHour = prices.kinesis.shardHour + (extended ? prices.kinesis.extendedShardHour : 0);
  const units = times(records, Math.ceil(traffic.eventBytes / putUnitBytes), 1 / million);
  return [
    { what: `stream ${name}: shards`, usd: times(shards, hourly(shardHour)) },
    { what: `stream ${name}: records in`, usd: times(units, prices.kinesis.millionPutUnits) },
  ];
};

/** Services that read a stream whole; who reads the changes of a table is not known here. */
function readersOf(stream: string): number | undefined {
  if (stream === 'events_changes') return undefined;
  return stream === 'inbound' ? 1 : outboundReaders;
}

/** Tasks lie between min and max; their size is in the task definition of the same name. */
const tasks: Pricing = (item, traffic, all) => {
  const service = textOf(item.values, 'resource_id').split('/')[2] ?? '';
  const task = all.find(
    ({ type, values }) =>
      type === 'aws_ecs_task_definition' && textOf(values, 'family').endsWith(`-${service}`),
  );
  const least = numberOf(item.values, 'min_capacity');
  const most = numberOf(item.values, 'max_capacity');
  const count =
    least === undefined || most === undefined || traffic.scalingLevel === undefined
      ? undefined
      : least + (most - least) * traffic.scalingLevel;
  const vcpu = task && times(numberOf(task.values, 'cpu'), 1 / 1_024, prices.fargateArm.vcpuHour);
  const memory = task && times(numberOf(task.values, 'memory'), 1 / 1_024, prices.fargateArm.gbHour);
  const each = vcpu === undefined || memory === undefined ? undefined : hourly(vcpu + memory);
  return [{ what: `service ${service}: tasks`, usd: times(count, each) }];
};

const table: Pricing = (item, traffic, all) => {
  const name = item.address.split('.')[1] ?? '';
  const write = (perSecond: number | undefined): number | undefined =>
    times(perSecond, secondsPerMonth / million, prices.dynamodb.millionWriteUnits);
  if (name === 'events') {
    const unitsPerItem = Math.ceil(traffic.eventBytes / 1_024) + writesPerEvent - 1;
    const keptGb = (traffic.averagePerSecond * eventTtlSeconds * traffic.eventBytes) / gb;
    const recovery = blockOf(item.values, 'point_in_time_recovery').enabled === true;
    const gbMonth = prices.dynamodb.gbMonth + (recovery ? prices.dynamodb.recoveryGbMonth : 0);
    const copies = Object.values(traffic.routed).reduce((sum, share) => sum + share, 0);
    return [
      { what: 'table events: writes', usd: write(times(traffic.averagePerSecond, copies, unitsPerItem)) },
      { what: 'table events: storage', usd: keptGb * gbMonth },
    ];
  }
  if (name === 'alerts') {
    return [{ what: 'table alerts: writes', usd: write(times(traffic.alerts, traffic.averagePerSecond, 2)) }];
  }
  if (name.endsWith('_leases')) {
    return [
      { what: `table ${name}: writes`, usd: write(times(shardsRead(name, all), leaseWritesPerShardSecond)) },
    ];
  }
  return [{ what: `table ${name}`, usd: undefined }];
};

function shardsRead(leaseTable: string, all: readonly Item[]): number | undefined {
  const inbound = leaseTable === 'router_leases';
  const counts = all
    .filter(({ type }) => type === 'aws_kinesis_stream')
    .filter((item) => (streamNoun(item) === 'inbound') === inbound)
    .filter((item) => !item.address.includes('_changes'))
    .map(({ values }) => numberOf(values, 'shard_count'));
  return counts.reduce<number | undefined>((sum, count) => {
    return sum === undefined || count === undefined ? undefined : sum + count;
  }, 0);
}

const lake: Pricing = (item, traffic) => {
  if (!item.address.endsWith('.lake')) return [];
  const copies = Object.values(traffic.routed).reduce((sum, share) => sum + share, 0);
  const month = times(
    eventsPerMonth(traffic),
    copies,
    traffic.eventBytes,
    traffic.archiveCompression,
    1 / gb,
  );
  return [
    { what: 'lake: storage of one month of events', usd: times(month, prices.s3.gbMonth) },
    // One object per range and type: how many there are depends on both.
    { what: 'lake: requests', usd: undefined },
  ];
};

const queue: Pricing = (item, traffic) => {
  if (!item.address.endsWith('.bus')) return [];
  // Sent, received, deleted.
  const requests = times(traffic.bus, eventsPerMonth(traffic), 3 / million);
  return [{ what: 'bus: requests', usd: times(requests, prices.sqs.millionRequests) }];
};

const balancer: Pricing = (_item, traffic) => {
  // One capacity unit is 1 GB an hour; connections and rules are rarely more at this size.
  const units = Math.max(1, (traffic.averagePerSecond * traffic.eventBytes * 3_600) / gb);
  return [
    { what: 'load balancer: hours', usd: hourly(prices.loadBalancer.hour) },
    { what: 'load balancer: capacity', usd: hourly(units * prices.loadBalancer.capacityUnitHour) },
  ];
};

const alarm: Pricing = ({ values }) => {
  const queries = values.metric_query;
  const metrics = Array.isArray(queries) && queries.length > 0 ? queries.length - 1 : 1;
  return [{ what: 'alarms', usd: metrics * prices.cloudwatch.alarmMetricMonth }];
};

const firehose: Pricing = (_item, traffic) => [
  {
    what: 'raw archive: data',
    usd: (eventsPerMonth(traffic) * traffic.eventBytes * prices.firehose.gb) / gb,
  },
];

const firewall: Pricing = ({ values }) => {
  const rules = Array.isArray(values.rule) ? values.rule.length : undefined;
  return [
    { what: 'firewall: list and rules', usd: plus(prices.waf.aclMonth, times(rules, prices.waf.ruleMonth)) },
    { what: 'firewall: requests', usd: undefined },
  ];
};

function plus(a: number, b: number | undefined): number | undefined {
  return b === undefined ? undefined : a + b;
}

const endpoint: Pricing = (item, _traffic, all) => {
  if (textOf(item.values, 'vpc_endpoint_type') !== 'Interface') return [];
  const zones = all.filter(({ address }) => address.startsWith('aws_subnet.private')).length;
  return [{ what: 'interface endpoints', usd: hourly(zones * prices.endpoint.zoneHour) }];
};

function logCost(items: readonly Item[], traffic: Traffic): readonly CostLine[] {
  if (!items.some(({ type }) => type === 'aws_cloudwatch_log_group')) return [];
  const gbs = times(traffic.logBytesPerEvent, eventsPerMonth(traffic), 1 / gb);
  return [{ what: 'logs: data in', usd: times(gbs, prices.cloudwatch.logGb) }];
}

const pricing: Readonly<Record<string, Pricing>> = {
  aws_kinesis_stream: stream,
  aws_appautoscaling_target: tasks,
  aws_dynamodb_table: table,
  aws_s3_bucket: lake,
  aws_sqs_queue: queue,
  aws_lb: balancer,
  aws_kinesis_firehose_delivery_stream: firehose,
  aws_wafv2_web_acl: firewall,
  aws_vpc_endpoint: endpoint,
  aws_cloudwatch_metric_alarm: alarm,
  aws_cloudwatch_composite_alarm: fixed('alarms', prices.cloudwatch.compositeMonth),
  aws_cloudwatch_dashboard: fixed('dashboard', prices.cloudwatch.dashboardMonth),
  aws_kms_key: fixed('keys', prices.kms.keyMonth),
  aws_nat_gateway: () => [
    { what: 'NAT: hours', usd: hourly(prices.nat.hour) },
    { what: 'NAT: data', usd: undefined },
  ],
  aws_eip: fixed('public addresses', hourly(prices.publicAddress.hour)),
};
