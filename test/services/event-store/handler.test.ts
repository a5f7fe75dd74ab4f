import { expect } from 'chai';
import type { EventItem } from '../../../lib/stores/event-item.ts';
import { createEventStoreHandler } from '../../../services/event-store/handler.ts';
import { sampleContext, sampleRecord } from '../../support/events.ts';

describe('the event store', () => {
  const create = () => {
    const puts: (readonly EventItem[])[] = [];
    const events = { put: async (items: readonly EventItem[]) => void puts.push(items) };
    return { puts, handler: createEventStoreHandler({ events, ttlDays: 30 }) };
  };

  it('writes the same bytes on every replay: the expiry goes by arrival', async () => {
    const { puts, handler } = create();
    const batch = [sampleRecord({ id: 'a', arrivedAtMs: 1_999 })];
    for (let turn = 0; turn < 2; turn += 1) await handler.handle(batch, sampleContext());
    expect(puts[0]).to.deep.equal(puts[1]);
    expect(puts[0]?.[0]?.item).to.deep.include({
      event_id: 'a',
      expires_at: 1 + 30 * 86_400,
      arrived_at: 1_999,
    });
  });

  it('names one key once in a batch, the last record winning as it would one by one', async () => {
    const { puts, handler } = create();
    const batch = [
      sampleRecord({ id: 'a', at: 1, type: 'old' }),
      sampleRecord({ id: 'b', at: 2 }),
      sampleRecord({ id: 'a', at: 3, type: 'new' }),
    ];
    expect(await handler.handle(batch, sampleContext())).to.deep.equal(['stored', 'stored', 'stored']);
    expect(puts[0]?.map(({ item }) => [item['event_id'], item['sequence']])).to.deep.equal([
      ['a', '3'],
      ['b', '2'],
    ]);
  });
});
