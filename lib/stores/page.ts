import { createHash } from 'node:crypto';
import { PlatformError } from '../runtime/errors.ts';

/** One page of a list. `next_cursor` is null at the end; a page may be short, or empty, and still have a next. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/** Rows per page: the default and the most of every list. */
export const pageRows = { usual: 50, max: 1_000 } as const;

export function pageLimit(limit: number | undefined): number {
  return Math.max(1, Math.min(limit ?? pageRows.usual, pageRows.max));
}

/** Opaque to callers. It is bound to `scope` (the list and its filters), so it cannot continue another list. */
export function formatCursor(scope: readonly unknown[], at: unknown): string {
  return Buffer.from(JSON.stringify({ s: scopeHash(scope), at })).toString('base64url');
}

/** @throws PlatformError `bad-cursor` */
export function parseCursor(scope: readonly unknown[], cursor: string): unknown {
  const { s, at } = decode(cursor);
  if (s !== scopeHash(scope)) throw badCursor('it was given for other filters: leave it out to begin again');
  return at;
}

function decode(cursor: string): { readonly s?: unknown; readonly at?: unknown } {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw badCursor('it is not one that a list gave out');
}

function badCursor(why: string): PlatformError {
  return new PlatformError('bad-cursor', `The cursor cannot be used: ${why}`);
}

function scopeHash(scope: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(scope)).digest('base64url').slice(0, 12);
}
