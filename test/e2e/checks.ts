import type { Stats } from './files.ts';
import type { Observed } from './observe.ts';

export interface CheckResult {
  readonly file: string;
  readonly check: string;
  readonly expected: unknown;
  readonly actual: unknown;
  readonly ok: boolean;
}

/** Every comparison of one run with the truth of its file. `repeats`: events that were sent a second time. */
export function compare(
  file: string,
  stats: Stats,
  observed: Observed,
  repeats: { readonly exactly: number } | { readonly atLeast: number },
): readonly CheckResult[] {
  const equal = (check: string, expected: unknown, actual: unknown): CheckResult => ({
    file,
    check,
    expected,
    actual,
    ok: JSON.stringify(expected) === JSON.stringify(actual),
  });
  const { late, accepted_windows: truth } = stats.orders.file;
  return [
    equal('stored records', stats.records, observed.stored.records),
    equal('stored by type', sorted(stats.by_type), sorted(observed.stored.byType)),
    equal('archived records', stats.records, observed.archived.records),
    equal(
      'archived distinct ids',
      stats.records - stats.duplicates.by_event_id,
      observed.archived.distinctIds,
    ),
    equal('archived by type', sorted(stats.by_type), sorted(observed.archived.byType)),
    equal('windows', truth.windows, observed.windows.windows),
    equal('windowed records', truth.records, observed.windows.records),
    equal('windows_sha256', truth.windows_sha256, observed.windows.sha256),
    equal('late by closed window', late.by_closed_window, observed.windows.late),
    duplicates(file, stats, observed, repeats),
    equal('dead letters', 0, observed.deadLetters),
    ...(stats.alerts_high_or_critical === undefined
      ? []
      : [equal('alerts high or critical', stats.alerts_high_or_critical, observed.alerts)]),
    ...Object.entries(stats.amount?.HIGH_VALUE_PURCHASE_lines ?? {}).map(([threshold, lines]) =>
      equal(
        `HIGH_VALUE_PURCHASE at ${threshold}`,
        lines,
        observed.highValueAmounts.filter((amount) => amount >= Number(threshold)).length,
      ),
    ),
  ];
}

/** A client whose request died with ingest sends the batch again, so with kills there may be more than we repeated. */
function duplicates(
  file: string,
  stats: Stats,
  observed: Observed,
  repeats: { readonly exactly: number } | { readonly atLeast: number },
): CheckResult {
  const check = 'duplicates by event id';
  const actual = observed.duplicates;
  if ('exactly' in repeats) {
    const expected = stats.duplicates.by_event_id + repeats.exactly;
    return { file, check, expected, actual, ok: actual === expected };
  }
  const least = stats.duplicates.by_event_id + repeats.atLeast;
  return { file, check, expected: `≥ ${least}`, actual, ok: actual >= least };
}

function sorted(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
