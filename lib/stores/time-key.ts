/** Event time in fixed width, so that texts sort as times do: `2026-11-20T09:30:00.500000000Z`. Years 0 … 9999. */
export function timeKey(timeMs: number, time = ''): string {
  const fraction = /\.(\d{1,9})/.exec(time)?.[1];
  const whole = new Date(timeMs).toISOString();
  return fraction === undefined
    ? `${whole.slice(0, 23)}000000Z`
    : `${whole.slice(0, 20)}${fraction.padEnd(9, '0')}Z`;
}

/** `time#id`: unique, and in event time's order. */
export function timeId(event: {
  readonly id: string;
  readonly time: string;
  readonly timeMs: number;
}): string {
  return `${timeKey(event.timeMs, event.time)}#${event.id}`;
}

/** The bounds of `time_id` for the half-open range [fromMs, toMs), both inclusive as BETWEEN takes them. */
export function timeIdRange(fromMs: number, toMs: number): { readonly low: string; readonly high: string } {
  // Every id sorts behind the bare time, so the bare `to` shuts out the ids of that very instant.
  return { low: timeKey(fromMs), high: timeKey(toMs) };
}

/** The years that RFC 3339 can write, for ranges without ends. */
export const firstTimeMs = Date.parse('0001-01-01T00:00:00.000Z');
export const lastTimeMs = Date.parse('9999-12-31T23:59:59.999Z');
