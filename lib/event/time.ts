/** A point in time: RFC 3339 in UTC with the digits that were given, and milliseconds rounded down. */
export interface Instant {
  readonly text: string;
  readonly ms: number;
}

/** Why a value is not a time that we take. */
export interface NotATime {
  readonly problem: string;
  readonly code: 'wrong-format' | 'out-of-range';
}

/** The years that RFC 3339 can write. */
const firstSecond = -62_135_596_800;
const lastSecond = 253_402_300_799;
const maxFractionDigits = 9;

/**
 * RFC 3339 section 5.6 with the zone required. Refused: dates that do not exist, leap seconds (no epoch
 * number stands for them), more than nanoseconds, and instants outside the years 1 … 9999 in UTC.
 */
export function parseTime(text: string): Instant | NotATime {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  if (!hasSeparators(text) || Number.isNaN(year + month + day + hour + minute + second)) return noTime;
  const zoneAt = endOfFraction(text);
  const offset = zoneSeconds(text, zoneAt);
  if (offset === undefined) return noZone;
  if (zoneAt === 20 || Number.isNaN(offset)) return noTime;
  if (zoneAt - 20 > maxFractionDigits) {
    return {
      problem: `has more than ${maxFractionDigits} digits of a second: cut them`,
      code: 'out-of-range',
    };
  }
  const local = civilSeconds({ year, month, day, hour, minute, second });
  if (local === undefined) {
    const leap = second === 60 ? ' (leap seconds are not taken: use :59)' : '';
    return { problem: `is a time that does not exist${leap}`, code: 'out-of-range' };
  }
  const fraction = text.slice(20, zoneAt);
  const last = text.charCodeAt(zoneAt);
  if (offset === 0 && last === codeOfZ && text.charCodeAt(10) === codeOfT && year > 0) {
    return { text, ms: local * 1_000 + fractionMs(fraction) };
  }
  return instantAt(local - offset, fraction);
}

/** A second of the Unix epoch and the digits after its decimal point. */
export function instantAt(epochSecond: number, fraction: string): Instant | NotATime {
  if (!(epochSecond >= firstSecond && epochSecond <= lastSecond)) {
    return { problem: 'is outside the years 1 … 9999', code: 'out-of-range' };
  }
  const whole = new Date(epochSecond * 1_000).toISOString().slice(0, 19);
  return {
    text: fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`,
    ms: epochSecond * 1_000 + fractionMs(fraction),
  };
}

/**
 * Unix seconds, whole or with a fraction. The digits are those of the number's shortest decimal text, so that
 * 1700000000.1 gives `.1` and not the digits of the nearest binary fraction.
 */
export function timeOfUnixSeconds(value: number): Instant | NotATime {
  if (!Number.isFinite(value)) return { problem: 'is not a finite number', code: 'out-of-range' };
  if (value < 0 || value > lastSecond) {
    const unit = value > lastSecond ? ': it looks like milliseconds, give seconds' : '';
    return { problem: `is not between 0 and ${lastSecond} (Unix seconds)${unit}`, code: 'out-of-range' };
  }
  const [whole = '', fraction = ''] = plainText(value).split('.');
  return instantAt(Number(whole), fraction.slice(0, maxFractionDigits));
}

export function isInstant(time: Instant | NotATime): time is Instant {
  return 'ms' in time;
}

/** A date and a time of day, without a zone. */
export interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Seconds since the epoch if `civil` were UTC; undefined if there is no such date or time of day. */
export function civilSeconds(civil: Civil): number | undefined {
  const { year, month, day, hour, minute, second } = civil;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return daysSinceEpoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
}

const codeOfZ = 0x5a;
const codeOfT = 0x54;
const noTime: NotATime = {
  problem: 'is not an RFC 3339 time: write it like 2026-11-20T09:30:00.5Z',
  code: 'wrong-format',
};
const noZone: NotATime = { problem: 'has no zone: end it with Z or +02:00', code: 'wrong-format' };

/** NaN if one of the characters is not a digit, or missing. */
function digits(text: string, start: number, count: number): number {
  let value = 0;
  for (let i = start; i < start + count; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function hasSeparators(text: string): boolean {
  const t = text[10];
  return (
    text[4] === '-' && text[7] === '-' && (t === 'T' || t === 't') && text[13] === ':' && text[16] === ':'
  );
}

/** Where the zone begins: 19 without a fraction; 20 is a decimal point that no digit follows. */
function endOfFraction(text: string): number {
  if (text[19] !== '.') return 19;
  let end = 20;
  while (!Number.isNaN(digits(text, end, 1))) end += 1;
  return end;
}

/** Seconds east of UTC; undefined: there is no zone; NaN: it is not one. */
function zoneSeconds(text: string, start: number): number | undefined {
  const sign = text[start];
  if (sign === 'Z' || sign === 'z') return text.length === start + 1 ? 0 : Number.NaN;
  if (sign === undefined) return undefined;
  if (sign !== '+' && sign !== '-') return Number.NaN;
  const hour = digits(text, start + 1, 2);
  const minute = digits(text, start + 4, 2);
  if (text[start + 3] !== ':' || text.length !== start + 6 || hour > 23 || minute > 59) return Number.NaN;
  const seconds = hour * 3_600 + minute * 60;
  return sign === '-' ? 0 - seconds : seconds;
}

function fractionMs(fraction: string): number {
  return fraction === '' ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'));
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * Days of the proleptic Gregorian calendar, counted in years that begin in March so that the leap day is
 * last.
 */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  const daysToEpoch = 719_468;
  return y * 365 + leapDays + dayOfYear - daysToEpoch;
}

/** A number without an exponent: 1e-7 → 0.0000001. */
function plainText(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(maxFractionDigits) : text;
}
