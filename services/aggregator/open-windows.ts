import { dayOf } from '../../lib/stores/window-items.ts';

const dayMs = 86_400_000;

/** Starts of windows, half-open, all on one day. */
export interface OpenRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Days with windows that are not known to be final, per definition. */
export type OpenWindows = ReadonlyMap<string, ReadonlyMap<string, OpenRange>>;

export const noneOpen: OpenWindows = new Map();

/** A window was touched: it has to be looked at once its end has passed, even if it was final before. */
export function touch(
  open: OpenWindows,
  windows: readonly { definition: string; startMs: number }[],
): OpenWindows {
  const result = new Map([...open].map(([name, days]) => [name, new Map(days)]));
  for (const { definition, startMs } of windows) {
    const days = result.get(definition) ?? new Map<string, OpenRange>();
    result.set(definition, days);
    const day = dayOf(startMs);
    const range = days.get(day) ?? { fromMs: startMs, toMs: startMs + 1 };
    days.set(day, { fromMs: Math.min(range.fromMs, startMs), toMs: Math.max(range.toMs, startMs + 1) });
  }
  return result;
}

/** All of these days from `fromMs` on: what a new owner knows of the windows that were open. */
export function reopen(
  open: OpenWindows,
  definition: string,
  fromMs: number,
  days: readonly string[],
): OpenWindows {
  const ranges = days.map((day) => {
    const beginMs = Date.parse(`${day}T00:00:00.000Z`);
    return [day, { fromMs: Math.max(fromMs, beginMs), toMs: beginMs + dayMs }] as const;
  });
  return new Map([...open, [definition, new Map([...(open.get(definition) ?? []), ...ranges])]]);
}

/** The part of a day's range whose windows' ends are ≤ `passedMs`; undefined: none. */
export function passedPart(range: OpenRange, sizeMs: number, passedMs: number): OpenRange | undefined {
  const toMs = Math.min(range.toMs, Math.floor(passedMs - sizeMs) + 1);
  return toMs > range.fromMs ? { fromMs: range.fromMs, toMs } : undefined;
}

/** Windows of the day that start before `toMs` are final. */
export function settle(open: OpenWindows, definition: string, day: string, toMs: number): OpenWindows {
  const days = new Map(open.get(definition));
  const range = days.get(day);
  if (range && range.toMs > toMs) days.set(day, { ...range, fromMs: Math.max(range.fromMs, toMs) });
  else days.delete(day);
  const rest = [...open].filter(([name]) => name !== definition);
  return new Map(days.size > 0 ? [...rest, [definition, days]] : rest);
}

/** The earliest open start per definition: all that needs to be saved, the directory of days has the rest. */
export function earliest(open: OpenWindows): Readonly<Record<string, number>> {
  const starts = [...open].map(([name, days]) => {
    const from = [...days.values()].reduce(
      (min, { fromMs }) => Math.min(min, fromMs),
      Number.POSITIVE_INFINITY,
    );
    return [name, from] as const;
  });
  return Object.fromEntries(starts);
}
