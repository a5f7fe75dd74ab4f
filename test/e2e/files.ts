import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A data file and the name of its statistics. */
export interface DataFile {
  readonly name: string;
  readonly file: string;
  readonly stats: string;
}

export const dataFiles: readonly DataFile[] = [
  { name: 'zeek-ssl', file: 'zeek-ssl.ndjson.gz', stats: 'zeek-ssl.stats.json' },
  { name: 'apache-access', file: 'apache-access-10k.log', stats: 'apache-access-10k.stats.json' },
  {
    name: 'online-retail',
    file: 'online-retail-2010-12-01_10.csv',
    stats: 'online-retail-2010-12-01_10.stats.json',
  },
  { name: 'nws-alerts', file: 'nws-alerts-2025-12-15.ndjson', stats: 'nws-alerts-2025-12-15.stats.json' },
  { name: 'gharchive', file: 'gharchive-2021-07-21.ndjson', stats: 'gharchive-2021-07-21.stats.json' },
  {
    name: 'usgs-earthquakes',
    file: 'usgs-earthquakes-week.geojson',
    stats: 'usgs-earthquakes-week.stats.json',
  },
  { name: 'nyc-311', file: 'nyc-311-animals-2025q1.csv', stats: 'nyc-311-animals-2025q1.stats.json' },
  { name: 'chicago-crimes', file: 'chicago-crimes-10k.csv', stats: 'chicago-crimes-10k.stats.json' },
];

/** What is used of a statistics file: the truth, computed apart from this project. */
export interface Stats {
  readonly records: number;
  readonly duplicates: { readonly by_event_id: number };
  readonly by_type: Readonly<Record<string, number>>;
  readonly alerts_high_or_critical?: number;
  readonly amount?: { readonly HIGH_VALUE_PURCHASE_lines: Readonly<Record<string, number>> };
  readonly orders: {
    readonly file: {
      readonly late: { readonly by_closed_window: number };
      readonly accepted_windows: {
        readonly records: number;
        readonly windows: number;
        readonly windows_sha256: string;
      };
    };
  };
}

export async function readStats(folder: string, file: DataFile): Promise<Stats> {
  return JSON.parse(await readFile(join(folder, file.stats), 'utf8')) as Stats;
}
