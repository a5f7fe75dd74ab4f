import { PlatformError } from '../../runtime/errors.ts';
import type { Event } from '../event.ts';
import { csvRecords } from './csv.ts';
import type { LineProblem } from './expression.ts';
import { type FileBytes, plainBytes } from './file-bytes.ts';
import { featureRecords } from './geojson.ts';
import { lineRecords, parseJsonLine, patternParser } from './lines.ts';
import { mapRecord } from './map-record.ts';
import type { Mapping } from './mapping.ts';
import type { RawRecord } from './raw-record.ts';

/** What became of one data record of a file; `line` is its number, from 1, a header not counted. */
export type Entry =
  | { readonly line: number; readonly event: Event }
  | { readonly line: number; readonly problem: LineProblem; readonly raw: string };

/** Records that may fail before the mapping is held to be the wrong one, if none has succeeded. */
const maxBrokenAtStart = 20;

/**
 * The events of a file, in its order. A broken record becomes an entry with its problem, and the rest goes
 * on. Throws PlatformError `mapping-misfit` if the mapping does not fit the file at all, and `broken-file` if
 * it cannot be read.
 */
export async function* readEvents(file: FileBytes, mapping: Mapping): AsyncGenerator<Entry> {
  const held: Entry[] = [];
  let fits = false;
  for await (const entry of readEntries(file, mapping)) {
    if (fits) {
      yield entry;
      continue;
    }
    held.push(entry);
    fits = 'event' in entry;
    if (fits) yield* held;
    else if (held.length >= maxBrokenAtStart) throw misfit(mapping, held);
  }
  if (!fits && held.length > 0) throw misfit(mapping, held);
}

/** As readEvents, but a file of which nothing fits is no error. */
export async function* readEntries(file: FileBytes, mapping: Mapping): AsyncGenerator<Entry> {
  for await (const record of recordsOf(plainBytes(file), mapping)) {
    const { line } = record;
    if ('broken' in record) {
      yield { line, problem: { field: '', detail: record.broken }, raw: record.raw() };
      continue;
    }
    const mapped = mapRecord(mapping, { row: record.row, line });
    yield mapped.ok ? { line, event: mapped.event } : { line, problem: mapped.problem, raw: record.raw() };
  }
}

function recordsOf(chunks: AsyncIterable<Buffer>, { format }: Mapping): AsyncIterable<RawRecord> {
  switch (format.kind) {
    case 'csv':
      return csvRecords(chunks, { delimiter: format.delimiter, needed: format.columns });
    case 'ndjson':
      return lineRecords(chunks, parseJsonLine);
    case 'lines':
      return lineRecords(chunks, patternParser(format.pattern));
    case 'geojson':
      return featureRecords(chunks);
  }
}

function misfit(mapping: Mapping, entries: readonly Entry[]): PlatformError {
  const first = entries[0];
  const why = first && 'problem' in first ? `${first.problem.field} ${first.problem.detail}`.trim() : '';
  return new PlatformError(
    'mapping-misfit',
    `Mapping ${mapping.name} does not fit the file: none of the first ${entries.length} records gives an event ` +
      `(record 1: ${why}). Name the right mapping, or mend flow/mappings/${mapping.name}.yaml`,
  );
}
