import { TerraformIterator, Token } from 'cdktf';
import type { AlarmDefinition, AlarmMetric } from './alarm.ts';

/** An alarm reader must have half the retention left: after that, unread events are lost. */
const retentionShare = 0.5;

interface StreamUnderWatch {
  readonly noun: 'inbound' | 'outbound' | 'derived';
  /** Its name; may use `each.key`. */
  readonly name: string;
  /** HCL of its variable. */
  readonly settings: string;
  readonly forEach?: TerraformIterator;
}

/** What can go wrong with any stream, whoever reads it. */
export function streamAlarms(naming: {
  readonly name: (noun: string) => string;
}): readonly AlarmDefinition[] {
  const each = TerraformIterator.fromMap(Token.asAnyMap('${var.outbound_streams}'));
  const streams: readonly StreamUnderWatch[] = [
    { noun: 'inbound', name: naming.name('inbound'), settings: 'var.inbound_stream' },
    { noun: 'outbound', name: naming.name('${each.key}'), settings: 'each.value', forEach: each },
    { noun: 'derived', name: naming.name('derived'), settings: 'var.derived_stream' },
  ];
  return streams.flatMap((stream) => [age(stream), throttled(stream, 'Write'), throttled(stream, 'Read')]);
}

function metric(stream: StreamUnderWatch, name: string, stat: AlarmMetric['stat']): AlarmMetric {
  return { id: 'value', namespace: 'AWS/Kinesis', name, dimensions: { StreamName: stream.name }, stat };
}

function shared(stream: StreamUnderWatch) {
  return stream.forEach ? { forEach: stream.forEach } : {};
}

function age(stream: StreamUnderWatch): AlarmDefinition {
  return {
    ...shared(stream),
    id: `${stream.noun}-age`,
    what: `A reader of the ${stream.noun} stream is behind by half of its retention: events will be lost. See which consumer lags; if it cannot catch up, raise retention_hours first.`,
    metrics: [metric(stream, 'GetRecords.IteratorAgeMilliseconds', 'Maximum')],
    above: `${stream.settings}.retention_hours * 3600000 * ${retentionShare}`,
    periodSeconds: 300,
    badOf: [1, 1],
  };
}

function throttled(stream: StreamUnderWatch, side: 'Write' | 'Read'): AlarmDefinition {
  const fix =
    side === 'Write'
      ? 'raise its shard_count (one shard takes 1 MB/s and 1,000 records/s)'
      : 'more than five readers poll a shard: use enhanced fan-out for one of them';
  return {
    ...shared(stream),
    id: `${stream.noun}-${side.toLowerCase()}-throttled`,
    what: `${side}s of the ${stream.noun} stream are throttled: ${fix}.`,
    metrics: [metric(stream, `${side}ProvisionedThroughputExceeded`, 'Sum')],
    above: 0,
    periodSeconds: 60,
    badOf: [4, 5],
  };
}
