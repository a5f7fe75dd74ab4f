import { isUtf8 } from 'node:buffer';
import { PlatformError } from '../../runtime/errors.ts';
import { parseFields } from './csv-fields.ts';
import { splitLines } from './lines.ts';
import { keptOfLongRecord, maxRecordBytes, type RawRecord } from './raw-record.ts';

/**
 * Lines that one record may span. A quote that is never closed would swallow the rest of the file; past this
 * its first line alone is broken and reading goes on with the next.
 */
const maxLinesPerRecord = 1_000;
const quote = 0x22;

type Parsed =
  | { readonly fields: readonly string[]; readonly bytes: Buffer }
  | { readonly broken: string; readonly bytes: Buffer };

/**
 * Records of a file whose first one names the columns. Throws `mapping-misfit` if one of `needed` is not
 * there.
 */
export async function* csvRecords(
  chunks: AsyncIterable<Buffer>,
  options: { readonly delimiter: string; readonly needed: readonly string[] },
): AsyncGenerator<RawRecord> {
  let columns: readonly string[] | undefined;
  let line = 0;
  for await (const parsed of parseCsv(chunks, options.delimiter)) {
    if (columns === undefined) {
      if ('broken' in parsed) throw misfit(`The header of the file cannot be read: ${parsed.broken}`);
      columns = checkHeader(parsed.fields, options.needed);
      continue;
    }
    line += 1;
    const raw = (): string => parsed.bytes.subarray(0, maxRecordBytes).toString();
    if ('broken' in parsed) yield { line, broken: parsed.broken, raw };
    else yield toRecord(columns, parsed.fields, line, raw);
  }
}

/** Lines are gathered until their quotes are even; then they are a record, or the first of them is broken. */
async function* parseCsv(chunks: AsyncIterable<Buffer>, delimiter: string): AsyncGenerator<Parsed> {
  let gathered: readonly Buffer[] = [];
  for await (const line of splitLines(chunks)) {
    gathered = [...gathered, line];
    const taken = takeRecords(gathered, delimiter, false);
    yield* taken.records;
    gathered = taken.rest;
  }
  yield* takeRecords(gathered, delimiter, true).records;
}

/** Every record that the gathered lines give, and the lines that wait for more; none wait once `ended`. */
function takeRecords(
  gathered: readonly Buffer[],
  delimiter: string,
  ended: boolean,
): { readonly records: readonly Parsed[]; readonly rest: readonly Buffer[] } {
  const records: Parsed[] = [];
  let start = 0;
  while (start < gathered.length) {
    const end = endOfRecord(gathered, start);
    const open = end > gathered.length;
    if (open && !ended && mayGoOn(gathered, start)) break;
    const lines = gathered.slice(start, open ? gathered.length : end);
    const parsed = parseRecord(lines, delimiter);
    // With one line broken, those after it may be sound: they are looked at on their own.
    const alone = 'broken' in parsed && lines.length > 1;
    records.push(alone ? { broken: parsed.broken, bytes: lines[0] ?? parsed.bytes } : parsed);
    start += alone ? 1 : lines.length;
  }
  return { records, rest: gathered.slice(start) };
}

function mayGoOn(gathered: readonly Buffer[], start: number): boolean {
  const lines = gathered.slice(start);
  return (
    lines.length < maxLinesPerRecord && lines.reduce((sum, { length }) => sum + length, 0) <= maxRecordBytes
  );
}

/** One past the line at which the quotes since `start` are even; past the last line if they never are. */
function endOfRecord(lines: readonly Buffer[], start: number): number {
  let quotes = 0;
  for (let end = start; end < lines.length; end += 1) {
    quotes += countQuotes(lines[end] ?? Buffer.alloc(0));
    if (quotes % 2 === 0) return end + 1;
  }
  return lines.length + 1;
}

function countQuotes(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(quote); at >= 0; at = bytes.indexOf(quote, at + 1)) count += 1;
  return count;
}

function parseRecord(lines: readonly Buffer[], delimiter: string): Parsed {
  const newline = Buffer.from('\n');
  const [only] = lines;
  const bytes =
    lines.length === 1 && only
      ? only
      : Buffer.concat(lines.flatMap((line, i) => (i === 0 ? [line] : [newline, line])));
  if (bytes.length > maxRecordBytes) {
    return {
      broken: `the record is longer than ${maxRecordBytes} bytes`,
      bytes: bytes.subarray(0, keptOfLongRecord),
    };
  }
  if (!isUtf8(bytes)) return { broken: 'the record is not valid UTF-8', bytes };
  const text = bytes.toString();
  const fields = parseFields(text.endsWith('\r') ? text.slice(0, -1) : text, delimiter);
  return typeof fields === 'string' ? { broken: fields, bytes } : { fields, bytes };
}

function checkHeader(columns: readonly string[], needed: readonly string[]): readonly string[] {
  const missing = needed.filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    throw misfit(
      `The file has no column ${missing.join(', ')}; it has ${columns.join(', ')}: use another mapping`,
    );
  }
  const repeated = columns.find((name, i) => columns.indexOf(name) !== i);
  if (repeated !== undefined) throw misfit(`The file has two columns "${repeated}": rename one of them`);
  return columns;
}

function toRecord(
  columns: readonly string[],
  fields: readonly string[],
  line: number,
  raw: () => string,
): RawRecord {
  if (fields.length !== columns.length) {
    return { line, broken: `the record has ${fields.length} fields, the header ${columns.length}`, raw };
  }
  return { line, row: Object.fromEntries(columns.map((name, i) => [name, fields[i]])), raw };
}

function misfit(message: string): PlatformError {
  return new PlatformError('mapping-misfit', message);
}
