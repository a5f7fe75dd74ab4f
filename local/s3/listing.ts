import { compareKeys } from './keys.ts';

/** Where a page begins: behind a key, or behind every key that starts with a common prefix. */
export interface Marker {
  readonly after: string;
  readonly isPrefix: boolean;
}

export interface ListQuery {
  readonly prefix: string;
  /** Empty: no common prefixes. */
  readonly delimiter: string;
  readonly marker: Marker | undefined;
  readonly maxKeys: number;
}

export interface Listing {
  readonly keys: readonly string[];
  readonly commonPrefixes: readonly string[];
  /** Where the next page begins, when there is one. */
  readonly next: Marker | undefined;
}

/** One page of `sorted` (by `compareKeys`). A common prefix counts as one entry and is never split over two pages. */
export function listPage(sorted: readonly string[], query: ListQuery): Listing {
  const keys: string[] = [];
  const commonPrefixes: string[] = [];
  let last = query.marker;
  if (query.maxKeys === 0) return { keys, commonPrefixes, next: undefined };
  for (let at = firstIndex(sorted, query); at < sorted.length; at += 1) {
    const key = sorted[at] ?? '';
    if (!key.startsWith(query.prefix)) break;
    if (last?.isPrefix === true && key.startsWith(last.after)) continue;
    if (keys.length + commonPrefixes.length === query.maxKeys) return { keys, commonPrefixes, next: last };
    const common = commonPrefix(key, query);
    if (common === undefined) keys.push(key);
    else commonPrefixes.push(common);
    last = { after: common ?? key, isPrefix: common !== undefined };
  }
  return { keys, commonPrefixes, next: undefined };
}

function commonPrefix(key: string, { prefix, delimiter }: ListQuery): string | undefined {
  if (delimiter === '') return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

function firstIndex(sorted: readonly string[], { prefix, marker }: ListQuery): number {
  const atPrefix = lowerBound(sorted, prefix);
  if (marker === undefined) return atPrefix;
  const atMarker = lowerBound(sorted, marker.after);
  return Math.max(atPrefix, sorted[atMarker] === marker.after ? atMarker + 1 : atMarker);
}

/** The index of the first key that is not less than `key`. */
export function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(sorted[middle] ?? '', key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Tokens are opaque to clients; these hold what the next page needs, so that pages need no state here. */
export function encodeToken(marker: Marker): string {
  return Buffer.from(JSON.stringify([marker.after, marker.isPrefix])).toString('base64url');
}

/** The marker of a token, or undefined when it is not one of ours. */
export function decodeToken(token: string): Marker | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (!Array.isArray(parsed)) return undefined;
    const [after, isPrefix] = parsed as readonly unknown[];
    return typeof after === 'string' && typeof isPrefix === 'boolean' ? { after, isPrefix } : undefined;
  } catch {
    return undefined;
  }
}
