import { expect } from 'chai';
import type { StoredEvent } from '../../../lib/stores/event-item.ts';
import { createAlerterHandler } from '../../../services/alerter/handler.ts';
import { sampleContext, sampleRecord } from '../../support/events.ts';

describe('the alerter', () => {
  it('keeps events of severity high and critical, and no others', async () => {
    const kept: StoredEvent[] = [];
    const alerts = { put: async (found: readonly StoredEvent[]) => void kept.push(...found) };
    const handler = createAlerterHandler({ alerts, ttlDays: 1 });
    const severities = ['low', 'high', 'critical', 'medium', 'HIGH'];
    const batch = severities.map((severity, n) => sampleRecord({ at: n + 1, attributes: { severity } }));
    const outcomes = await handler.handle([...batch, sampleRecord({ at: 9 })], sampleContext());
    expect(outcomes).to.deep.equal(['no-alert', 'alert', 'alert', 'no-alert', 'no-alert', 'no-alert']);
    expect(kept.map(({ event }) => event.id)).to.deep.equal(['event-2', 'event-3']);
    expect(kept[0]?.expiresAt).to.equal(1 + 86_400);
  });

  it('names one key once in a batch', async () => {
    const kept: StoredEvent[] = [];
    const alerts = { put: async (found: readonly StoredEvent[]) => void kept.push(...found) };
    const handler = createAlerterHandler({ alerts, ttlDays: 1 });
    const same = { id: 'a', attributes: { severity: 'high' } };
    await handler.handle(
      [sampleRecord({ ...same, at: 1 }), sampleRecord({ ...same, at: 2 })],
      sampleContext(),
    );
    expect(kept.map(({ sequence }) => sequence)).to.deep.equal(['2']);
  });
});
