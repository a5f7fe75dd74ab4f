import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { attribute, type Event } from '../../lib/event/event.ts';
import { loadMappings, mappingFor } from '../../lib/event/mapping/load-mappings.ts';
import { readEvents } from '../../lib/event/mapping/read-events.ts';
import { dataFolder, realDataIsHere, type TrueStatistics, trueStatistics } from '../support/real-data.ts';
import { countsOf, referenceLateness, referenceWindows } from '../support/reference-windows.ts';

const names = [
  'zeek-ssl',
  'apache-access-10k',
  'online-retail-2010-12-01_10',
  'nws-alerts-2025-12-15',
  'gharchive-2021-07-21',
  'usgs-earthquakes-week',
  'nyc-311-animals-2025q1',
  'chicago-crimes-10k',
];

async function eventsOf(file: string): Promise<readonly Event[]> {
  const mapping = mappingFor(file, await loadMappings('flow/mappings'));
  const events: Event[] = [];
  for await (const entry of readEvents(createReadStream(join(dataFolder, file)), mapping)) {
    if (!('event' in entry))
      throw new Error(`record ${entry.line}: ${entry.problem.field} ${entry.problem.detail}`);
    expect(entry.line).to.equal(events.length + 1);
    events.push(entry.event);
  }
  return events;
}

for (const name of names) {
  describe(`${name}, mapped`, function () {
    this.timeout(20_000);
    let events: readonly Event[] = [];
    let truth: TrueStatistics;

    before(async function () {
      if (!realDataIsHere) {
        process.stdout.write(`      skipped: there is no folder ${dataFolder}; set WEIR_DATA\n`);
        this.skip();
      }
      truth = trueStatistics(name);
      events = await eventsOf(truth.file);
    });

    it('has as many events, types, ids and keys as the file has records of them', () => {
      expect(events).to.have.length(truth.records);
      expect(countsOf(events.map(({ type }) => type))).to.deep.equal(truth.by_type);
      expect(events.length - new Set(events.map(({ id }) => id)).size).to.equal(truth.duplicates.by_event_id);
      const keys = countsOf(events.map(({ subject }) => subject));
      expect(Object.keys(keys)).to.have.length(truth.keys.distinct);
      for (const [key, count] of truth.keys.top) expect(keys[key], key).to.equal(count);
    });

    it('has the severities and cities of the file', () => {
      const severities = countsOf(events.map(({ attributes }) => attributes[attribute.severity]));
      expect(severities).to.deep.equal(truth.by_severity ?? {});
      expect((severities['high'] ?? 0) + (severities['critical'] ?? 0)).to.equal(
        truth.alerts_high_or_critical ?? 0,
      );
      const cities = countsOf(events.map(({ attributes }) => attributes[attribute.city]));
      expect(cities).to.deep.equal(truth.by_city ?? {});
    });

    it('spans the times of the file', () => {
      const times = events.map(({ timeMs }) => timeMs).toSorted((a, b) => a - b);
      expect(new Date(times.at(0)!).toISOString()).to.equal(truth.event_time.min);
      expect(new Date(times.at(-1)!).toISOString()).to.equal(truth.event_time.max);
    });

    it('has the windows of the file', () => {
      const all = referenceWindows(events);
      expect(all.windows).to.equal(truth.windows_5m.count);
      expect(all.windowsSha256).to.equal(truth.windows_5m.windows_sha256);
      for (const [start, counts] of Object.entries(truth.windows_5m.by_type ?? {})) {
        expect(Object.fromEntries(all.byType.get(start)!), start).to.deep.equal(counts);
      }
    });

    for (const order of ['file', 'reverse_file', 'event_time'] as const) {
      it(`has the late events and the accepted windows of the order "${order}"`, () => {
        const { late, accepted_windows: accepted } = truth.orders[order];
        const found = referenceLateness(inOrder(events, order));
        expect(found.byEventTime).to.equal(late.by_event_time);
        expect(found.byClosedWindow).to.equal(late.by_closed_window);
        expect(found.accepted.records).to.equal(accepted.records);
        expect(found.accepted.windows).to.equal(accepted.windows);
        expect(found.accepted.windowsSha256).to.equal(accepted.windows_sha256);
      });
    }

    if (name.startsWith('online-retail')) {
      it('has exact amounts: sums to the cent, and every threshold is met by the right lines', () => {
        const { amount } = truth;
        const amounts = (type: string): readonly number[] =>
          events
            .filter((event) => event.type === type)
            .map(({ data }) => (data as { amount: number }).amount);
        const cents = (values: readonly number[]): number =>
          values.reduce((sum, value) => sum + Math.round(value * 100), 0);
        expect(cents(amounts('PURCHASE'))).to.equal(cents([Number(amount!.sum_purchase)]));
        expect(cents(amounts('CANCELLATION'))).to.equal(cents([Number(amount!.sum_cancellation)]));
        expect(Math.max(...amounts('PURCHASE'))).to.equal(Number(amount!.max_line));
        for (const [threshold, lines] of Object.entries(amount!.HIGH_VALUE_PURCHASE_lines)) {
          const met = amounts('PURCHASE').filter((value) => value >= Number(threshold));
          expect(met, threshold).to.have.length(lines);
        }
      });
    }
  });
}

function inOrder(events: readonly Event[], order: 'file' | 'reverse_file' | 'event_time'): readonly Event[] {
  switch (order) {
    case 'file':
      return events;
    case 'reverse_file':
      return events.toReversed();
    case 'event_time':
      return events.toSorted((a, b) => a.timeMs - b.timeMs);
  }
}
