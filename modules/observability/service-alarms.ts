import type { AlarmDefinition, AlarmMetric } from './alarm.ts';
import { signals, type Signal } from './signals.ts';

export interface WatchedService {
  readonly name: string;
  readonly kind: 'worker' | 'http';
}

/** Where metrics of a service are found. */
export interface ServicePlaces {
  readonly clusterName: string;
  /** Of the platform's own metrics. */
  readonly namespace: string;
}

/** A consumer this many times further behind than its lag target has not been helped by scaling. */
const lagFactor = 5;
const percentMax = 90;

/** What can go wrong with a service that its own log, ECS or its lag shows. */
export function serviceAlarms(service: WatchedService, places: ServicePlaces): readonly AlarmDefinition[] {
  return [
    tooFewTasks(service, places),
    tooMuch(service, places, 'CPUUtilization', 'cpu'),
    tooMuch(service, places, 'MemoryUtilization', 'memory'),
    ...(service.kind === 'worker' ? workerAlarms(service, places) : []),
    ...(service.name === 'query' ? [ledger(service, places)] : []),
  ];
}

function own(
  service: WatchedService,
  places: ServicePlaces,
  signal: Signal,
  stat: 'Sum' | 'Maximum',
): AlarmMetric {
  return {
    id: 'value',
    namespace: places.namespace,
    name: signal.metric,
    dimensions: { Service: service.name },
    stat,
  };
}

function tooFewTasks(service: WatchedService, places: ServicePlaces): AlarmDefinition {
  const metric = (id: string, name: string): AlarmMetric => ({
    id,
    namespace: 'ECS/ContainerInsights',
    name,
    dimensions: { ClusterName: places.clusterName, ServiceName: service.name },
    stat: 'Minimum',
  });
  return {
    id: `${service.name}-tasks`,
    what: `${service.name} runs fewer tasks than wanted. Read the service's events in ECS: image, capacity, or a task that dies at its start.`,
    metrics: [metric('running', 'RunningTaskCount'), metric('wanted', 'DesiredTaskCount')],
    expression: 'wanted - running',
    above: 0,
    periodSeconds: 60,
    badOf: [10, 10],
    missing: 'breaching',
  };
}

function tooMuch(
  service: WatchedService,
  places: ServicePlaces,
  name: string,
  noun: 'cpu' | 'memory',
): AlarmDefinition {
  return {
    id: `${service.name}-${noun}`,
    what: `${service.name} uses more than ${percentMax} % of its ${noun} although it may scale: raise max_count or its ${noun} in tfvars.`,
    metrics: [
      {
        id: 'value',
        namespace: 'AWS/ECS',
        name,
        dimensions: { ClusterName: places.clusterName, ServiceName: service.name },
        stat: 'Average',
      },
    ],
    above: percentMax,
    periodSeconds: 60,
    badOf: [15, 15],
  };
}

function workerAlarms(service: WatchedService, places: ServicePlaces): readonly AlarmDefinition[] {
  const counted = (id: string, signal: Signal, what: string): AlarmDefinition => ({
    id: `${service.name}-${id}`,
    what,
    metrics: [own(service, places, signal, 'Sum')],
    above: 0,
    periodSeconds: 300,
    badOf: [1, 1],
  });
  return [
    {
      id: `${service.name}-lag`,
      what: `${service.name} is ${lagFactor} times further behind than its lag target and scaling has not helped: look for a hot shard, an error in its log, or a table that throttles.`,
      metrics: [own(service, places, signals.lag, 'Maximum')],
      above: `var.services["${service.name}"].lag_target_ms * ${lagFactor}`,
      periodSeconds: 60,
      badOf: [10, 10],
    },
    {
      id: `${service.name}-unowned-shards`,
      what: `Shards have no ${service.name} for minutes: nobody reads them. Are tasks running? Does its lease table throttle?`,
      metrics: [own(service, places, signals.unownedShards, 'Maximum')],
      above: 0,
      periodSeconds: 60,
      badOf: [5, 5],
    },
    counted(
      'dead-letters',
      signals.deadLetters,
      `${service.name} set records aside. They are kept with the reason: read them, mend the cause, redrive.`,
    ),
    counted(
      'stopped-shards',
      signals.stoppedShards,
      `${service.name} stopped a shard because too many records in a row failed. Nothing is lost; nothing moves either until the cause is mended.`,
    ),
    counted(
      'data-loss',
      signals.dataLoss,
      `Records left the stream before ${service.name} read them. The ledger names the range; replay it from the archive.`,
    ),
  ];
}

function ledger(service: WatchedService, places: ServicePlaces): AlarmDefinition {
  return {
    id: 'ledger-difference',
    what: 'The accounts of two neighbouring services differ: an event is missing or counted twice. Run `weir audit`; it names hop, shard and hour.',
    metrics: [own(service, places, signals.ledgerDifference, 'Maximum')],
    above: 0,
    periodSeconds: 300,
    badOf: [2, 3],
  };
}
