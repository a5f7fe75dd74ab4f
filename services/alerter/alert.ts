import type { EventRecord } from '../../lib/consumer/events.ts';
import { attribute, type Event } from '../../lib/event/event.ts';
import type { StoredEvent } from '../../lib/stores/event-item.ts';
import { timeId } from '../../lib/stores/time-key.ts';

const severities: ReadonlySet<string | undefined> = new Set(['high', 'critical']);
const daySeconds = 86_400;

export function isAlert(event: Event): boolean {
  return severities.has(event.attributes[attribute.severity]);
}

/** The alerts among `events`, each once: a batch must not write one key twice. */
export function alertsOf(events: readonly EventRecord[], ttlDays: number): readonly StoredEvent[] {
  const alerts = events.filter(({ event }) => isAlert(event));
  const byKey = new Map(
    alerts.map((alert) => [
      JSON.stringify([alert.event.attributes[attribute.city], timeId(alert.event)]),
      alert,
    ]),
  );
  return [...byKey.values()].map(({ event, record }) => ({
    event,
    stream: record.stream,
    shard: record.shardId,
    sequence: record.position.sequenceNumber,
    arrivedAtMs: record.arrivedAtMs,
    expiresAt: Math.floor(record.arrivedAtMs / 1_000) + ttlDays * daySeconds,
  }));
}
