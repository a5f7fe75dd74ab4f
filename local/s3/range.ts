import { S3Error } from './errors.ts';

/** Bytes `first` … `last` of an object, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The part of an object that a Range header asks for; undefined for the whole: no header, one that is not
 * understood, or several ranges, which S3 does not serve.
 * @throws S3Error InvalidRange
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return undefined;
  if (from === '') return within(size - Math.min(Number(to), size), size - 1, size, Number(to) > 0);
  if (to !== '' && Number(to) < Number(from)) return undefined;
  return within(Number(from), to === '' ? size - 1 : Math.min(Number(to), size - 1), size, true);
}

function within(first: number, last: number, size: number, wanted: boolean): ByteRange {
  if (!wanted || first >= size) throw new S3Error('InvalidRange', { ActualObjectSize: String(size) });
  return { first, last };
}
