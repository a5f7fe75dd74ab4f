import {
  type Civil,
  civilSeconds,
  type Instant,
  instantAt,
  type NotATime,
  parseTime,
  timeOfUnixSeconds,
} from '../time.ts';
import { toNumber } from './decimal.ts';
import { scalarText } from './path.ts';
import { createZone, type Zone } from './zone.ts';

/** Reads a field's value as a point in time. */
export type TimeReader = (value: unknown) => Instant | NotATime;

export type TimeFormat =
  | { readonly ok: true; readonly read: TimeReader }
  | { readonly ok: false; readonly problem: string };

const named: Readonly<Record<string, TimeReader>> = {
  rfc3339: (value) => parseTime(scalarText(value) ?? ''),
  'epoch-s': (value) => timeOfUnixSeconds(toNumber(value) ?? Number.NaN),
  'epoch-ms': (value) => {
    const ms = toNumber(value);
    if (ms === undefined || !Number.isSafeInteger(ms)) return unfit('epoch-ms');
    const second = Math.floor(ms / 1_000);
    return instantAt(second, String(ms - second * 1_000).padStart(3, '0'));
  },
};

/** What each token of a pattern matches. */
const tokens: Readonly<Record<string, string>> = {
  YYYY: '\\d{4}',
  MMM: '[A-Za-z]{3}',
  MM: '\\d{2}',
  M: '\\d{1,2}',
  DD: '\\d{2}',
  D: '\\d{1,2}',
  HH: '\\d{2}',
  H: '\\d{1,2}',
  hh: '\\d{2}',
  h: '\\d{1,2}',
  mm: '\\d{2}',
  ss: '\\d{2}',
  S: '\\d{1,9}',
  A: '[AaPp][Mm]',
  ZZ: '(?:Z|[+-]\\d{2}:?\\d{2})',
};
const tokenPattern = new RegExp(Object.keys(tokens).join('|'), 'g');
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/**
 * `rfc3339`, `epoch-s`, `epoch-ms`, or a pattern of YYYY MMM MM M DD D HH H hh h mm ss S A ZZ. A pattern
 * without ZZ needs the zone that its times are local to; the other formats have theirs.
 */
export function timeFormat(format: string, zoneName: string | undefined): TimeFormat {
  const read = named[format];
  const known = read !== undefined || format.includes('ZZ');
  if (known && zoneName !== undefined)
    return { ok: false, problem: `${format} has its own zone: leave zone out` };
  if (read !== undefined) return { ok: true, read };
  const problem = patternProblem(format);
  if (problem !== undefined) return { ok: false, problem };
  if (format.includes('ZZ')) return { ok: true, read: patternReader(format, undefined) };
  const hint = 'give the zone of its times, e.g. zone: America/New_York or zone: UTC';
  if (zoneName === undefined) return { ok: false, problem: hint };
  try {
    return { ok: true, read: patternReader(format, createZone(zoneName)) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { ok: false, problem: `"${zoneName}" is no time zone: ${hint}` };
  }
}

function patternProblem(format: string): string | undefined {
  const found = new Set(format.match(tokenPattern) ?? []);
  const has = (...names: string[]): boolean => names.some((name) => found.has(name));
  const unknown = /[A-SU-Za-z]/.exec(format.replace(tokenPattern, ''))?.[0];
  if (unknown !== undefined) {
    return `"${format}" is neither rfc3339, epoch-s, epoch-ms nor a pattern: "${unknown}" stands for nothing`;
  }
  if (!has('YYYY') || !has('MM', 'M', 'MMM') || !has('DD', 'D') || !has('HH', 'H', 'hh', 'h') || !has('mm')) {
    return `"${format}" does not say year, month, day, hour and minute: use YYYY, MM, DD, HH, mm`;
  }
  if (has('hh', 'h') !== has('A'))
    return `"${format}": hh and A (AM or PM) go together; HH is the hour of 24`;
  return undefined;
}

function patternReader(format: string, zone: Zone | undefined): TimeReader {
  const order = format.match(tokenPattern) ?? [];
  const literal = format.split(tokenPattern).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const source = order.map((token, i) => `${literal[i]}(${tokens[token]})`).join('') + (literal.at(-1) ?? '');
  const pattern = new RegExp(`^${source}$`);
  return (value) => {
    const match = pattern.exec(scalarText(value) ?? '');
    if (match === null) return unfit(format);
    const found: Parts = Object.fromEntries(order.map((token, i) => [token, match[i + 1]]));
    const civil = civilOf(found);
    const local = civil && civilSeconds(civil);
    if (local === undefined) return { problem: 'is a time that does not exist', code: 'out-of-range' };
    const epoch = zone === undefined ? local - offsetOf(found['ZZ'] ?? 'Z') : zone.toEpochSeconds(local);
    return instantAt(epoch, found['S'] ?? '');
  };
}

type Parts = Readonly<Record<string, string | undefined>>;

function civilOf(found: Parts): Civil | undefined {
  const month =
    found['MMM'] === undefined
      ? Number(found['MM'] ?? found['M'])
      : months.indexOf(found['MMM'].toLowerCase()) + 1;
  const hour = found['A'] === undefined ? Number(found['HH'] ?? found['H']) : hourOf12(found);
  if (hour === undefined) return undefined;
  return {
    year: Number(found['YYYY']),
    month,
    day: Number(found['DD'] ?? found['D']),
    hour,
    minute: Number(found['mm']),
    second: Number(found['ss'] ?? 0),
  };
}

/** 12 AM is 0, 12 PM is 12; there is no hour 0 or 13 on this clock. */
function hourOf12(found: Parts): number | undefined {
  const hour = Number(found['hh'] ?? found['h']);
  if (hour < 1 || hour > 12) return undefined;
  return (hour % 12) + (found['A']?.toLowerCase() === 'pm' ? 12 : 0);
}

function offsetOf(zone: string): number {
  if (zone === 'Z') return 0;
  const seconds = Number(zone.slice(1, 3)) * 3_600 + Number(zone.slice(-2)) * 60;
  return zone.startsWith('-') ? -seconds : seconds;
}

function unfit(format: string): NotATime {
  return { problem: `does not fit ${format}`, code: 'wrong-format' };
}
