import { isUtf8 } from 'node:buffer';
import { messageOf } from '../../runtime/errors.ts';
import { isMapping } from '../rule-file.ts';
import type { Row } from './path.ts';
import { keptOfLongRecord, maxRecordBytes, type RawRecord } from './raw-record.ts';

const newline = 0x0a;

/** Records of a file that has one per line. Only \n ends a line: JSON text may hold any other separator. */
export async function* lineRecords(
  chunks: AsyncIterable<Buffer>,
  parse: (text: string) => Row | string,
): AsyncGenerator<RawRecord> {
  let line = 0;
  for await (const bytes of splitLines(chunks)) {
    line += 1;
    const raw = (): string => bytes.subarray(0, maxRecordBytes).toString();
    if (bytes.length > maxRecordBytes) {
      const broken = `the line is longer than ${maxRecordBytes} bytes`;
      yield { line, broken, raw: () => bytes.subarray(0, keptOfLongRecord).toString() };
    } else if (!isUtf8(bytes)) {
      yield { line, broken: 'the line is not valid UTF-8', raw };
    } else {
      const row = parse(bytes.toString());
      yield typeof row === 'string' ? { line, broken: row, raw } : { line, row, raw };
    }
  }
}

/** An object, or why the text is none. */
export function parseJsonLine(text: string): Row | string {
  if (text.trim() === '') return 'the line is empty';
  try {
    const value: unknown = JSON.parse(text);
    return isMapping(value) ? value : 'the line is JSON, but no object';
  } catch (error) {
    return `the line is not valid JSON (${messageOf(error)})`;
  }
}

/** The named groups of the pattern; a group that took no part is absent. */
export function patternParser(pattern: RegExp): (text: string) => Row | string {
  return (text) => {
    const groups = pattern.exec(text.endsWith('\r') ? text.slice(0, -1) : text)?.groups;
    return groups === undefined ? 'the line does not fit the pattern' : { ...groups };
  };
}

/**
 * Lines without their \n. Of a line that is too long the first bytes come, so many that it is seen to be too
 * long.
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  const keep = (part: Buffer): void => {
    if (length <= maxRecordBytes) parts.push(part);
    length += part.length;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      keep(chunk.subarray(start, end));
      yield parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
      parts = [];
      length = 0;
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  if (length > 0) yield Buffer.concat(parts);
}
