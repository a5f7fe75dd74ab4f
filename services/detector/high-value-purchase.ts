import { createHash } from 'node:crypto';
import type { Event } from '../../lib/event/event.ts';
import { isAtLeast } from './decimal.ts';

/** A change of what the rule means gets a new version, and so new ids: old and new results never mix. */
const rule = { name: 'HIGH_VALUE_PURCHASE', version: 1 } as const;

/** The derived event of a PURCHASE whose `data.amount` is at least `threshold`; undefined for every other event. */
export function highValuePurchase(cause: Event, threshold: number): Event | undefined {
  if (cause.type !== 'PURCHASE') return undefined;
  const amount = amountOf(cause.data);
  if (!isAtLeast(amount, threshold)) return undefined;
  return {
    id: derivedId(rule.name, rule.version, [cause.id]),
    source: `detector/${rule.name}/v${rule.version}`,
    type: rule.name,
    time: cause.time,
    timeMs: cause.timeMs,
    subject: cause.subject,
    ...(cause.traceparent === undefined ? {} : { traceparent: cause.traceparent }),
    attributes: { kind: 'derived' },
    data: { amount, threshold, rule_version: rule.version, causes: [cause.id] },
  };
}

/** The same causes under the same rule always give the same id. */
export function derivedId(name: string, version: number, causes: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([name, version, ...causes]));
  return `${name.toLowerCase()}-${hash.digest('hex').slice(0, 32)}`;
}

function amountOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null && 'amount' in data ? data.amount : undefined;
}
