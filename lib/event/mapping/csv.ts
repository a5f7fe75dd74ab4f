import { isUtf8 } from 'node:buffer';
import { pipeline, Readable } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import { PlatformError } from '../../runtime/errors.ts';
import { maxRecordBytes, type RawRecord } from './raw-record.ts';

interface CsvRecord {
  readonly record: readonly string[];
  readonly raw: string;
}
interface Skipped {
  readonly problem: string;
  readonly raw: string;
}

/**
 * Records of an RFC 4180 file whose first line names the columns. Throws `mapping-misfit` if one of `needed` is not there. The parser
 * works on Latin-1, which takes any byte, so that broken UTF-8 is found per record and not silently replaced.
 */
export async function* csvRecords(
  chunks: AsyncIterable<Buffer>,
  options: { readonly delimiter: string; readonly needed: readonly string[] },
): AsyncGenerator<RawRecord> {
  let columns: readonly string[] | undefined;
  let line = 0;
  for await (const record of parseCsv(chunks, options.delimiter)) {
    const raw = (): string => decoded(record.raw) ?? record.raw;
    if ('problem' in record) {
      line += 1;
      yield { line, broken: record.problem, raw };
    } else if (columns === undefined) {
      columns = readHeader(record.record, options.needed);
    } else {
      line += 1;
      yield toRecord(columns, record.record, line, raw);
    }
  }
}

function parseCsv(chunks: AsyncIterable<Buffer>, delimiter: string): AsyncIterable<CsvRecord | Skipped> {
  const parser = parse({
    delimiter,
    encoding: 'latin1',
    raw: true,
    relax_column_count: true,
    max_record_size: maxRecordBytes,
    skip_records_with_error: true,
    // Put among the records, so that a broken one keeps its place and number.
    on_skip: (error: CsvError | undefined, raw: string | undefined) => {
      parser.push({
        problem: error?.message ?? 'the record cannot be read',
        raw: raw ?? '',
      } satisfies Skipped);
    },
  });
  // The callback is required, and has nothing to say: a failure comes out of the iteration.
  pipeline(Readable.from(chunks), parser, () => {});
  return parser as AsyncIterable<CsvRecord | Skipped>;
}

function readHeader(names: readonly string[], needed: readonly string[]): readonly string[] {
  const columns = names.map((name) => decoded(name) ?? name);
  const missing = needed.filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    const message = `The file has no column ${missing.join(', ')}; it has ${columns.join(', ')}: use another mapping`;
    throw new PlatformError('mapping-misfit', message);
  }
  const repeated = columns.find((name, i) => columns.indexOf(name) !== i);
  if (repeated === undefined) return columns;
  throw new PlatformError('mapping-misfit', `The file has two columns "${repeated}": rename one of them`);
}

function toRecord(
  columns: readonly string[],
  values: readonly string[],
  line: number,
  raw: () => string,
): RawRecord {
  if (values.length !== columns.length) {
    const broken = `the record has ${values.length} fields, the header ${columns.length}`;
    return { line, broken, raw };
  }
  const texts = values.map(decoded);
  if (texts.includes(undefined)) return { line, broken: 'the record is not valid UTF-8', raw };
  return { line, row: Object.fromEntries(columns.map((name, i) => [name, texts[i]])), raw };
}

/** Latin-1 text that holds the bytes of UTF-8 → the text; undefined if they are not UTF-8. */
function decoded(latin1: string): string | undefined {
  if (!/[\x80-\xff]/.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : undefined;
}
