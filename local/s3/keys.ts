import { createHash } from 'node:crypto';

/** The name of an object's entry in the hidden folder: keys are longer than file names may be. */
export function keyHash(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Longest file name that ext4, APFS and NTFS all take. */
const segmentBytesMax = 255;

/**
 * The path under the bucket's folder where a user would look for `key`, or undefined when a file system has no such
 * name: a segment that is too long. `.`, `..`, empty segments and what no file name may hold are written as %XX, and
 * so is %, so that no two keys share a path and none leaves the folder.
 */
export function plainPath(key: string): string | undefined {
  const segments = key.split('/').map(encodeSegment);
  return segments.some((segment) => Buffer.byteLength(segment) > segmentBytesMax)
    ? undefined
    : segments.join('/');
}

/** Bodies that cannot lie at their plain path lie here, by hash; % alone begins no encoded segment. */
export function oddPath(key: string): string {
  return `%odd-keys/${keyHash(key)}`;
}

/** What some file system does not take in a name; Windows, besides, drops a dot or a blank at the end. */
// oxlint-disable-next-line no-control-regex
const unfit = /[%\\:*?"<>|\u0000-\u001f\u007f]|[. ]$/g;

function encodeSegment(segment: string): string {
  if (segment === '') return '%';
  if (segment === '.' || segment === '..') return segment.replaceAll('.', '%2E');
  return segment.replace(unfit, percent);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Two paths that some file system takes for the same: those without case or with normalised Unicode. */
export function foldPath(path: string): string {
  return path.normalize('NFC').toLowerCase().normalize('NFC');
}

/** Every folder above `path`, nearest first: `a/b/c` gives `a/b`, `a`. */
export function foldersAbove(path: string): readonly string[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, at) => segments.slice(0, segments.length - 1 - at).join('/'));
}

/** S3 lists keys by their UTF-8 bytes; JavaScript compares UTF-16 units, which differ above U+D7FF. */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at += 1) {
    const difference = rank(left.charCodeAt(at)) - rank(right.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Moves surrogates (U+10000 and above) behind U+E000 … U+FFFF, as their bytes are. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
