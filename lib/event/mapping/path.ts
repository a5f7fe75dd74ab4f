/**
 * Where a value lies in a record. A text that begins with `/` is a JSON Pointer (RFC 6901): `/properties/id`,
 * `/ids/0`. Any other text is one name at the top, taken as it stands: `id.orig_h`, `Primary Type`.
 */
export interface Path {
  readonly text: string;
  readonly names: readonly string[];
}

export type Row = Readonly<Record<string, unknown>>;

export function parsePath(text: string): Path {
  if (!text.startsWith('/')) return { text, names: [text] };
  const names = text.slice(1).split('/');
  return { text, names: names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~')) };
}

/** Undefined, null and the empty text are all "absent": CSV cannot tell them apart. */
export function isAbsent(value: unknown): value is undefined | null | '' {
  return value === undefined || value === null || value === '';
}

export function valueAt(row: Row, path: Path): unknown {
  let value: unknown = row;
  for (const name of path.names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Row)[name];
  }
  return value;
}

/** The text of a single value; undefined for lists, objects and what is absent. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
