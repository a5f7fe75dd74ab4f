import type { Row } from './path.ts';

/** A record of a file before it is mapped. `line` is its number among the data records, from 1. */
export type RawRecord =
  | { readonly line: number; readonly row: Row; readonly raw: () => string }
  | { readonly line: number; readonly broken: string; readonly raw: () => string };

/** One record; more is not one, and must not fill the memory. The largest record that Kinesis takes. */
export const maxRecordBytes = 10 * 1_024 * 1_024;
/** What is kept of a record that is too long, so that it can be recognised. */
export const keptOfLongRecord = 1_024;
