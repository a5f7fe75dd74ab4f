import { expect } from 'chai';
import fc from 'fast-check';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { type StoredEvent, toEventItem } from '../../../lib/stores/event-item.ts';
import { createEventStore, type EventFilter, type EventStore } from '../../../lib/stores/events.ts';
import { timeId, timeKey } from '../../../lib/stores/time-key.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';
import { type Sample, sampleEvent } from '../../support/events.ts';
import { createMemoryObjects } from '../../support/memory-objects.ts';

const stored = (sample: Sample): StoredEvent => ({
  event: sampleEvent(sample),
  stream: 'city',
  shard: 'shard-0',
  sequence: '17',
  arrivedAtMs: 5_000,
  expiresAt: 99,
});

describe('time keys', () => {
  it('keep the digits that were given, in fixed width', () => {
    expect(timeKey(1_500, '1970-01-01T00:00:01.500000001Z')).to.equal('1970-01-01T00:00:01.500000001Z');
    expect(timeKey(1_500)).to.equal('1970-01-01T00:00:01.500000000Z');
  });

  it('sort as the times do', () => {
    const times = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
    fc.assert(
      fc.property(times, times, (a, b) => {
        const [first, second] = [a, b].map((timeMs) => timeId({ id: 'x', time: '', timeMs })) as [
          string,
          string,
        ];
        expect(Math.sign(a - b)).to.equal(first < second ? -1 : first > second ? 1 : 0);
      }),
    );
  });
});

describe('the events table', () => {
  let tables: TestTables;
  let events: EventStore;
  const objects = createMemoryObjects();

  before(async () => {
    tables = await startTables(['events']);
    events = createEventStore({ client: tables.client, table: 'events', clock: systemClock, objects });
    const city = (n: number): Sample => ({
      id: `c${n}`,
      time: n * 1_000,
      type: n % 2 ? 'weather' : 'traffic',
      attributes: { city: n < 30 ? 'NYC' : 'LA', severity: 'low' },
    });
    const many = Array.from({ length: 60 }, (_, n) => toEventItem(stored(city(n))));
    await events.put([...many, toEventItem(stored({ id: 'nowhere', type: 'LOGIN', time: 7_000 }))]);
  });
  after(() => tables.close());

  const all = async (filter: EventFilter): Promise<readonly string[]> => {
    const ids: string[] = [];
    let cursor: string | null | undefined;
    for (let pages = 0; cursor !== null && pages < 100; pages += 1) {
      const page = await events.list({ ...filter, ...(cursor ? { cursor } : {}) });
      ids.push(...page.items.map(({ event }) => event.id));
      cursor = page.next_cursor;
    }
    return ids;
  };
  const ids = (from: number, to: number, step = 1): readonly string[] =>
    Array.from({ length: Math.ceil((to - from) / step) }, (_, n) => `c${from + n * step}`);

  it('gives back an event as it was, without its stamp', async () => {
    const sample = {
      id: 'whole',
      time: '2026-11-20T09:30:00.123456789Z',
      attributes: { city: 'SF', weirstamp: 'a;1;0' },
      data: { amount: 1.5, list: [null, 'x'], big: 'y'.repeat(10_000) },
    };
    await events.put([toEventItem(stored(sample))]);
    const { attributes: _, ...rest } = sampleEvent(sample);
    expect(await events.get('whole')).to.deep.equal({
      ...stored(sample),
      event: { ...rest, attributes: { city: 'SF' } },
    });
    expect(await events.get('nobody')).to.equal(undefined);
  });

  it('keeps data that no item can hold in the lake', async () => {
    const noise = Array.from({ length: 60_000 }, (_, n) => Math.sin(n));
    await events.put([toEventItem(stored({ id: 'large', data: noise }))]);
    expect(objects.stored.size).to.equal(1);
    expect((await events.get('large'))?.event.data).to.deep.equal(noise);
  });

  it('lists by city in order of event time, half-open, over pages', async () => {
    expect(await all({ city: 'NYC', fromMs: 5_000, toMs: 9_000, order: 'asc' })).to.deep.equal(ids(5, 9));
    expect(await all({ city: 'NYC', order: 'asc', limit: 7 })).to.deep.equal(ids(0, 30));
    expect(await all({ city: 'LA', limit: 7 })).to.deep.equal([...ids(30, 60)].reverse());
  });

  it('lists by type, and by city and type together', async () => {
    expect(await all({ type: 'LOGIN' })).to.deep.equal(['nowhere']);
    expect(await all({ city: 'NYC', type: 'weather', order: 'asc', limit: 4 })).to.deep.equal(ids(1, 30, 2));
  });

  it('finds every event of a time range without city and type', async () => {
    const found = await all({ fromMs: 3_000, toMs: 8_000, limit: 3 });
    expect([...found].sort()).to.deep.equal([...ids(3, 8), 'nowhere']);
  });

  it('refuses a cursor of another list, and one that it never gave', async () => {
    const { next_cursor } = await events.list({ city: 'NYC', limit: 1 });
    for (const filter of [
      { city: 'LA', cursor: String(next_cursor) },
      { city: 'NYC', cursor: 'e30' },
      { city: 'NYC', cursor: '%%' },
    ]) {
      const failed = await events.list(filter).then(
        () => 'listed',
        (error: { code?: string }) => error.code,
      );
      expect(failed).to.equal('bad-cursor');
    }
  });
});
