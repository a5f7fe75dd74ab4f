import { expect } from 'chai';
import fc from 'fast-check';
import { isInstant, parseTime, timeOfUnixSeconds } from '../../../lib/event/time.ts';

const problemOf = (text: string): string => {
  const time = parseTime(text);
  return isInstant(time) ? `taken as ${time.text}` : time.problem;
};

describe('parseTime', () => {
  it('keeps every digit of a UTC time and rounds milliseconds down', () => {
    expect(parseTime('2018-03-24T17:15:20.615923Z')).to.deep.equal({
      text: '2018-03-24T17:15:20.615923Z',
      ms: Date.UTC(2018, 2, 24, 17, 15, 20, 615),
    });
    expect(parseTime('1969-12-31T23:59:59.9999Z')).to.deep.include({ ms: -1 });
  });

  const normalised = [
    ['2025-12-15T13:53:00-08:00', '2025-12-15T21:53:00Z'],
    ['2024-03-01T00:30:00.25+01:00', '2024-02-29T23:30:00.25Z'],
    ['2026-11-20t09:30:00z', '2026-11-20T09:30:00Z'],
    ['2026-11-20T09:30:00-00:00', '2026-11-20T09:30:00Z'],
    ['0050-01-01T00:00:00+00:00', '0050-01-01T00:00:00Z'],
    ['2026-11-20T09:30:00+23:59', '2026-11-19T09:31:00Z'],
  ] as const;
  for (const [given, utc] of normalised) {
    it(`writes ${given} in UTC`, () => {
      const time = parseTime(given);
      expect(time).to.deep.equal({ text: utc, ms: Date.parse(utc) });
    });
  }

  const refused = [
    ['2026-11-20T09:30:00', 'has no zone'],
    ['2026-11-20T09:30:00.5', 'has no zone'],
    ['2026-02-29T09:30:00Z', 'does not exist'],
    ['1900-02-29T00:00:00Z', 'does not exist'],
    ['2026-13-01T00:00:00Z', 'does not exist'],
    ['2026-00-10T00:00:00Z', 'does not exist'],
    ['2026-04-31T00:00:00Z', 'does not exist'],
    ['2026-01-01T24:00:00Z', 'does not exist'],
    ['2026-01-01T00:60:00Z', 'does not exist'],
    ['2016-12-31T23:59:60Z', 'leap seconds'],
    ['2026-01-01T00:00:00.0123456789Z', 'more than 9 digits'],
    ['2026-01-01T00:00:00.Z', 'not an RFC 3339 time'],
    ['2026-01-01T00:00:00ZZ', 'not an RFC 3339 time'],
    ['2026-01-01T00:00:00+0100', 'not an RFC 3339 time'],
    ['2026-01-01T00:00:00+24:00', 'not an RFC 3339 time'],
    ['2026-01-01T00:00:00 CET', 'not an RFC 3339 time'],
    ['2026-01-01 00:00:00Z', 'not an RFC 3339 time'],
    ['2026-1-01T00:00:00Z', 'not an RFC 3339 time'],
    ['20260101T000000Z', 'not an RFC 3339 time'],
    [' 2026-01-01T00:00:00Z', 'not an RFC 3339 time'],
    ['２026-01-01T00:00:00Z', 'not an RFC 3339 time'],
    ['', 'not an RFC 3339 time'],
    ['0000-06-01T00:00:00Z', 'outside the years'],
    ['9999-12-31T23:59:59-00:01', 'outside the years'],
  ] as const;
  for (const [given, problem] of refused) {
    it(`refuses "${given}": ${problem}`, () => expect(problemOf(given)).to.contain(problem));
  }

  it('agrees with Date on every instant that Date can write', () => {
    const date = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
    });
    fc.assert(
      fc.property(
        date.filter((d) => !Number.isNaN(d.getTime())),
        fc.integer({ min: -1439, max: 1439 }),
        (d, offset) => {
          const utc = d.toISOString();
          expect(parseTime(utc)).to.deep.equal({ text: utc, ms: d.getTime() });
          const local = new Date(d.getTime() + offset * 60_000).toISOString();
          fc.pre(/^\d{4}-/.test(local));
          const zone = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60]
            .map((part) => String(part).padStart(2, '0'))
            .join(':');
          expect(parseTime(`${local.slice(0, -1)}${offset < 0 ? '-' : '+'}${zone}`)).to.deep.include({
            ms: d.getTime(),
          });
        },
      ),
    );
  });
});

describe('timeOfUnixSeconds', () => {
  it('takes the digits that were written, not those of the binary fraction', () => {
    expect(timeOfUnixSeconds(1_700_000_000.1)).to.deep.equal({
      text: '2023-11-14T22:13:20.1Z',
      ms: 1_700_000_000_100,
    });
    expect(timeOfUnixSeconds(1_700_000_000)).to.deep.include({ text: '2023-11-14T22:13:20Z' });
    expect(timeOfUnixSeconds(1e-7)).to.deep.equal({ text: '1970-01-01T00:00:00.000000100Z', ms: 0 });
  });

  it('refuses milliseconds, negative and unbounded numbers', () => {
    expect(timeOfUnixSeconds(1_700_000_000_000)).to.have.property('problem').that.contains('milliseconds');
    expect(timeOfUnixSeconds(-1)).to.have.property('code', 'out-of-range');
    expect(timeOfUnixSeconds(Number.NaN)).to.have.property('code', 'out-of-range');
  });
});
