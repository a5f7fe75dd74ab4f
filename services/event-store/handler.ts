import type { EventHandler } from '../../lib/consumer/events.ts';
import type { EventStore } from '../../lib/stores/events.ts';
import { itemsOf } from './store.ts';

export interface EventStoreOptions {
  readonly events: Pick<EventStore, 'put'>;
  readonly ttlDays: number;
}

/** Holds no state: every put is durable before `handle` returns, and doing it again changes nothing. */
export function createEventStoreHandler({ events, ttlDays }: EventStoreOptions): EventHandler {
  return {
    start: async () => {},
    handle: async (batch, context) => {
      await events.put(itemsOf(batch, ttlDays), context.signal);
      return batch.map(() => 'stored');
    },
    flush: async () => ({}),
  };
}
