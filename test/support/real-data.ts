import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of real files with their true statistics; they are not part of this repository. */
export const dataFolder = process.env['WEIR_DATA'] ?? '../shared/data';

export interface TrueCounts {
  readonly records: number;
  readonly windows: number;
  readonly windows_sha256: string;
}

/** The parts of NAME.stats.json that tests compare with. */
export interface TrueStatistics {
  readonly file: string;
  readonly records: number;
  readonly event_time: { readonly min: string; readonly max: string };
  readonly duplicates: { readonly by_event_id: number };
  readonly by_type: Readonly<Record<string, number>>;
  readonly by_severity?: Readonly<Record<string, number>>;
  readonly by_city?: Readonly<Record<string, number>>;
  readonly alerts_high_or_critical?: number;
  readonly keys: { readonly distinct: number; readonly top: readonly (readonly [string, number])[] };
  readonly amount?: {
    readonly sum_purchase: string;
    readonly sum_cancellation: string;
    readonly max_line: string;
    readonly HIGH_VALUE_PURCHASE_lines: Readonly<Record<string, number>>;
  };
  readonly orders: Readonly<
    Record<
      'file' | 'reverse_file' | 'event_time',
      {
        readonly late: { readonly by_event_time: number; readonly by_closed_window: number };
        readonly accepted_windows: TrueCounts;
      }
    >
  >;
  readonly windows_5m: {
    readonly count: number;
    readonly windows_sha256: string;
    readonly by_type?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
}

export const realDataIsHere = existsSync(dataFolder);

export function trueStatistics(name: string): TrueStatistics {
  return JSON.parse(readFileSync(join(dataFolder, `${name}.stats.json`), 'utf8')) as TrueStatistics;
}
