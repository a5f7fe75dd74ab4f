import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PlatformError } from '../../runtime/errors.ts';
import type { Mapping } from './mapping.ts';
import { parseMapping } from './parse-mapping.ts';

/** Every mapping of a folder, by name. Throws ConfigError for the first file that cannot be used. */
export async function loadMappings(folder: string): Promise<readonly Mapping[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).toSorted();
  return Promise.all(
    files.map(async (file) => {
      const path = join(folder, file);
      return parseMapping(await readFile(path, 'utf8'), basename(file, '.yaml'), path);
    }),
  );
}

/** The mapping for a file, by the file's name. Throws `no-mapping` where there is none or more than one. */
export function mappingFor(file: string, mappings: readonly Mapping[]): Mapping {
  const name = basename(file);
  const found = mappings.filter(({ files }) => files.some((glob) => matches(glob, name)));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const known = (found.length > 0 ? found : mappings).map((mapping) => mapping.name).join(', ');
  const why = found.length > 0 ? 'More than one mapping is' : 'No mapping is';
  throw new PlatformError(
    'no-mapping',
    `${why} for a file named ${name}: choose one with --mapping (${known})`,
  );
}

/** `*` stands for any characters. Pieces are looked for from left to right, so no pattern takes long. */
function matches(glob: string, name: string): boolean {
  const [head = '', ...rest] = glob.split('*');
  const tail = rest.pop();
  if (tail === undefined) return glob === name;
  if (!name.startsWith(head) || !name.endsWith(tail) || name.length < head.length + tail.length) return false;
  let at = head.length;
  for (const piece of rest) {
    at = name.indexOf(piece, at);
    if (at < 0) return false;
    at += piece.length;
  }
  return at <= name.length - tail.length;
}
