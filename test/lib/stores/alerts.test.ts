import { expect } from 'chai';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { type AlertStore, createAlertStore } from '../../../lib/stores/alerts.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';
import { sampleEvent } from '../../support/events.ts';

describe('the alerts table', () => {
  let tables: TestTables;
  let alerts: AlertStore;

  before(async () => {
    tables = await startTables(['alerts']);
    alerts = createAlertStore({ client: tables.client, table: 'alerts', clock: systemClock });
    const alert = (n: number, attributes: Record<string, string>) => ({
      event: sampleEvent({ id: `a${n}`, time: n * 1_000, attributes }),
      stream: 'city',
      shard: 's',
      sequence: '1',
      arrivedAtMs: 1,
      expiresAt: 9,
    });
    const written = [
      alert(1, { city: 'NYC', severity: 'high' }),
      alert(2, { city: 'NYC', severity: 'critical' }),
      alert(3, { city: 'LA', severity: 'high' }),
      alert(4, { severity: 'critical' }),
    ];
    await alerts.put(written);
    await alerts.put(written);
  });
  after(() => tables.close());

  const list = async (filter: Parameters<AlertStore['list']>[0]) =>
    (await alerts.list(filter)).items.map(({ event }) => event.id);

  it('lists the newest of a city first, once each, though put twice', async () => {
    expect(await list({ city: 'NYC' })).to.deep.equal(['a2', 'a1']);
    expect(await list({ city: 'NYC', severity: 'high' })).to.deep.equal(['a1']);
    expect(await list({ city: 'NYC', toMs: 2_000 })).to.deep.equal(['a1']);
  });

  it('lists by severity over all cities, those without a city too', async () => {
    expect(await list({ severity: 'critical', order: 'asc' })).to.deep.equal(['a2', 'a4']);
    expect(await list({ city: 'none' })).to.deep.equal(['a4']);
    expect([...(await list({}))].sort()).to.deep.equal(['a1', 'a2', 'a3', 'a4']);
  });

  it('goes on where a page ended', async () => {
    const first = await alerts.list({ severity: 'high', limit: 1 });
    const second = await alerts.list({ severity: 'high', limit: 1, cursor: String(first.next_cursor) });
    expect([...first.items, ...second.items].map(({ event }) => event.id)).to.deep.equal(['a3', 'a1']);
  });
});
