import type { EventHandler } from '../../lib/consumer/events.ts';
import type { AlertStore } from '../../lib/stores/alerts.ts';
import { alertsOf, isAlert } from './alert.ts';

export interface AlerterOptions {
  readonly alerts: Pick<AlertStore, 'put'>;
  readonly ttlDays: number;
}

/** Holds no state: every alert is durable before `handle` returns, and doing it again changes nothing. */
export function createAlerterHandler({ alerts, ttlDays }: AlerterOptions): EventHandler {
  return {
    start: async () => {},
    handle: async (batch, context) => {
      const found = alertsOf(batch, ttlDays);
      if (found.length > 0) await alerts.put(found, context.signal);
      return batch.map(({ event }) => (isAlert(event) ? 'alert' : 'no-alert'));
    },
    flush: async () => ({}),
  };
}
