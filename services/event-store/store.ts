import type { EventRecord } from '../../lib/consumer/events.ts';
import { type EventItem, toEventItem } from '../../lib/stores/event-item.ts';

const daySeconds = 86_400;

/**
 * What a batch leaves in the table: one item per event id, the last record's (as one put after another would). An
 * item expires by its arrival and not by the time of writing, so a replay writes the same bytes.
 */
export function itemsOf(events: readonly EventRecord[], ttlDays: number): readonly EventItem[] {
  const last = new Map(events.map((event) => [event.event.id, event]));
  return [...last.values()].map(({ event, record }) =>
    toEventItem({
      event,
      stream: record.stream,
      shard: record.shardId,
      sequence: record.position.sequenceNumber,
      arrivedAtMs: record.arrivedAtMs,
      expiresAt: Math.floor(record.arrivedAtMs / 1_000) + ttlDays * daySeconds,
    }),
  );
}
