import type { EventRecord } from '../../lib/consumer/events.ts';
import { type RouteRule, route, type Target } from '../../lib/event/routes.ts';
import { hashId, type RoutedId } from '../../lib/stores/dedupe.ts';
import type { SeenIds } from './seen-ids.ts';

export type Verdict =
  | { readonly type: 'routed'; readonly targets: readonly Target[]; readonly id: RoutedId }
  | { readonly type: 'duplicate' }
  | { readonly type: 'unrouted' };

/**
 * One verdict per event, in stream order; `seen` stays as it is. Decided by ids and arrival times alone, so a replay
 * with other batches decides the same. An unrouted id is not remembered: sent in again under mended rules, it must not
 * count as a repeat.
 */
export function decide(
  events: readonly EventRecord[],
  seen: SeenIds,
  rules: readonly RouteRule[],
): readonly Verdict[] {
  const inBatch = new Map<string, number>();
  return events.map(({ event, record }) => {
    const id = { hash: hashId(event.id), arrivedAtMs: record.arrivedAtMs };
    if (seen.isRepeat(id, inBatch.get(id.hash))) return { type: 'duplicate' };
    const targets = route(event, rules);
    if (targets.length === 0) return { type: 'unrouted' };
    inBatch.set(id.hash, id.arrivedAtMs);
    return { type: 'routed', targets, id };
  });
}
