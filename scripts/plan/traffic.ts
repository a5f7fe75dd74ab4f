import { parse } from 'yaml';
import { ConfigError } from '../../lib/runtime/errors.ts';

/** flow/traffic.yaml: what is expected to flow. Undefined means unknown, and stays unknown. */
export interface Traffic {
  readonly averagePerSecond: number;
  readonly peakPerSecond: number;
  readonly eventBytes: number;
  /** Copies per event, by outbound stream. */
  readonly routed: Readonly<Record<string, number>>;
  readonly alerts: number | undefined;
  readonly derived: number | undefined;
  readonly bus: number | undefined;
  readonly archiveCompression: number | undefined;
  readonly logBytesPerEvent: number | undefined;
  /** 0: services run min_count tasks, 1: max_count. */
  readonly scalingLevel: number | undefined;
}

/** Reads the text of a traffic profile. Throws a ConfigError that lists every field that cannot be used. */
export function parseTraffic(text: string, file: string): Traffic {
  const given = record(parse(text));
  const problems: string[] = [];
  const number = (
    from: Readonly<Record<string, unknown>>,
    name: string,
    where = name,
  ): number | undefined => {
    const value = from[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
    problems.push(`${where} must be a number of 0 or more, or null for unknown`);
    return undefined;
  };
  const needed = (value: number | undefined, where: string): number => {
    if (value === undefined) problems.push(`${where} must be given`);
    return value ?? 0;
  };
  const rate = record(given.events_per_second);
  const routed = record(given.routed);
  const traffic: Traffic = {
    averagePerSecond: needed(
      number(rate, 'average', 'events_per_second.average'),
      'events_per_second.average',
    ),
    peakPerSecond: needed(number(rate, 'peak', 'events_per_second.peak'), 'events_per_second.peak'),
    eventBytes: needed(number(given, 'event_bytes'), 'event_bytes'),
    routed: Object.fromEntries(
      Object.keys(routed).flatMap((name) => {
        const share = number(routed, name, `routed.${name}`);
        return share === undefined ? [] : [[name, share]];
      }),
    ),
    alerts: number(given, 'alerts'),
    derived: number(given, 'derived'),
    bus: number(given, 'bus'),
    archiveCompression: number(given, 'archive_compression'),
    logBytesPerEvent: number(given, 'log_bytes_per_event'),
    scalingLevel: number(given, 'scaling_level'),
  };
  if (problems.length > 0) throw new ConfigError(`${file} cannot be used`, problems);
  return traffic;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
