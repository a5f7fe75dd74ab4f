import { expect } from 'chai';
import { timeFormat } from '../../../../lib/event/mapping/time-format.ts';
import { isInstant } from '../../../../lib/event/time.ts';

function read(format: string, zone: string | undefined, value: unknown): string {
  const found = timeFormat(format, zone);
  if (!found.ok) return `bad format: ${found.problem}`;
  const time = found.read(value);
  return isInstant(time) ? time.text : time.problem;
}

describe('timeFormat', () => {
  const cases: readonly (readonly [string, string | undefined, unknown, string])[] = [
    ['rfc3339', undefined, '2026-12-15T13:53:00.123456-08:00', '2026-12-15T21:53:00.123456Z'],
    ['rfc3339', undefined, '2026-12-15 13:53', 'is not an RFC 3339 time'],
    ['epoch-s', undefined, 1_700_000_000.5, '2023-11-14T22:13:20.5Z'],
    ['epoch-s', undefined, '1700000000', '2023-11-14T22:13:20Z'],
    ['epoch-s', undefined, 'x', 'is not a finite number'],
    ['epoch-ms', undefined, 1_517_966_773_840, '2018-02-07T01:26:13.840Z'],
    ['epoch-ms', undefined, -1, '1969-12-31T23:59:59.999Z'],
    ['epoch-ms', undefined, 1.5, 'does not fit epoch-ms'],
    ['epoch-ms', undefined, true, 'does not fit epoch-ms'],
    ['DD/MMM/YYYY:HH:mm:ss ZZ', undefined, '17/May/2015:10:05:03 +0000', '2015-05-17T10:05:03Z'],
    ['DD/MMM/YYYY:HH:mm:ss ZZ', undefined, '17/May/2015:10:05:03 -0330', '2015-05-17T13:35:03Z'],
    ['DD/MMM/YYYY:HH:mm:ss ZZ', undefined, '17/Mai/2015:10:05:03 +0000', 'does not exist'],
    ['YYYY-MM-DD HH:mm:ss', 'UTC', '2010-12-01 08:26:00', '2010-12-01T08:26:00Z'],
    ['YYYY-MM-DDTHH:mm:ss.S', 'UTC', '2010-12-01T08:26:00.0012', '2010-12-01T08:26:00.0012Z'],
    ['YYYY-MM-DD HH:mm:ss', 'UTC', '2010-12-01 08:26:00.5', 'does not fit'],
    ['MM/DD/YYYY hh:mm:ss A', 'America/Chicago', '02/08/2015 12:00:00 AM', '2015-02-08T06:00:00Z'],
    ['MM/DD/YYYY hh:mm:ss A', 'America/Chicago', '07/08/2015 12:00:00 PM', '2015-07-08T17:00:00Z'],
    ['MM/DD/YYYY hh:mm:ss A', 'America/Chicago', '07/08/2015 00:10:00 PM', 'does not exist'],
    ['M/D/YYYY H:mm', 'America/New_York', '2/30/2025 1:00', 'does not exist'],
    ['M/D/YYYY H:mm', 'Asia/Kolkata', '1/1/2025 0:00', '2024-12-31T18:30:00Z'],
    ['M/D/YYYY H:mm', 'Australia/Lord_Howe', '4/6/2025 1:45', '2025-04-05T14:45:00Z'],
  ];
  for (const [format, zone, value, expected] of cases) {
    it(`reads ${JSON.stringify(value)} by ${format}${zone ? ` in ${zone}` : ''}: ${expected}`, () => {
      expect(read(format, zone, value)).to.contain(expected);
    });
  }

  const changes = [
    ['before the skip', '3/9/2025 1:59', '2025-03-09T06:59:00Z'],
    ['in the skip, with the offset before it', '3/9/2025 2:30', '2025-03-09T07:30:00Z'],
    ['after the skip', '3/9/2025 3:00', '2025-03-09T07:00:00Z'],
    ['before the repeat', '11/2/2025 0:59', '2025-11-02T04:59:00Z'],
    ['in the repeat, the first time', '11/2/2025 1:30', '2025-11-02T05:30:00Z'],
    ['after the repeat', '11/2/2025 2:00', '2025-11-02T07:00:00Z'],
  ] as const;
  for (const [what, local, utc] of changes) {
    it(`reads a local time ${what}`, () => {
      expect(read('M/D/YYYY H:mm', 'America/New_York', local)).to.equal(utc);
    });
  }

  it('agrees with Intl on every hour of a year with changes in the other direction', () => {
    const berlin = new Intl.DateTimeFormat('sv-SE', {
      timeZone: 'Europe/Berlin',
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    const found = timeFormat('YYYY-MM-DD HH:mm:ss', 'Europe/Berlin');
    if (!found.ok) throw new Error(found.problem);
    for (let hour = 0; hour < 365 * 24; hour += 1) {
      const utc = new Date(Date.UTC(2026, 0, 1, hour)).toISOString().replace('.000', '');
      const local = berlin.format(new Date(utc));
      const repeated = local === '2026-10-25 02:00:00';
      const expected = repeated ? '2026-10-25T00:00:00Z' : utc;
      expect(found.read(local), local).to.have.property('text', expected);
    }
  });

  const refused = [
    ['YYYY-MM-DD HH:mm', undefined, 'give the zone'],
    ['YYYY-MM-DD HH:mm', 'Mars/Olympus', 'is no time zone'],
    ['YYYY-MM-DD HH:mm ZZ', 'UTC', 'has its own zone'],
    ['rfc3339', 'UTC', 'has its own zone'],
    ['YYYY-MM-DD', 'UTC', 'does not say year, month, day, hour and minute'],
    ['YYYY-MM-DD hh:mm', 'UTC', 'go together'],
    ['YYYY-MM-DD HH:mm A', 'UTC', 'go together'],
    ['iso8601', 'UTC', 'stands for nothing'],
  ] as const;
  for (const [format, zone, problem] of refused) {
    it(`refuses the format ${format} with zone ${zone}: ${problem}`, () => {
      expect(read(format, zone, ''))
        .to.contain('bad format')
        .and.to.contain(problem);
    });
  }
});
