import type { Command, Options } from './command.ts';
import { defineCommand, exitCode } from './command.ts';
import { getJson, queryOption, queryUrl } from './connect.ts';
import { type Column, table } from './output.ts';
import { UsageError } from './parse.ts';

/** Options of every list, as the API has them. */
const listOptions = {
  ...queryOption,
  from: { kind: 'text', value: 'TIME', what: 'event time from, RFC 3339 (2026-11-20T08:00:00Z)' },
  to: { kind: 'text', value: 'TIME', what: 'event time before' },
  order: { kind: 'text', value: 'asc|desc', what: 'by event time; default: newest first' },
  num: { kind: 'text', value: 'N', what: 'rows at most, default 50; 0: all' },
} as const satisfies Options;

export interface ListSpec {
  readonly path: readonly string[];
  readonly summary: string;
  readonly resource: string;
  readonly filters: Options;
  readonly examples: readonly string[];
  readonly columns: readonly (Column & {
    readonly cell: (item: Readonly<Record<string, unknown>>) => string;
  })[];
}

interface Page {
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly next_cursor: string | null;
}

const pageRows = 1_000;

/** A verb that shows one of the API's lists, page after page up to --num. */
export function listCommand(spec: ListSpec): Command {
  return defineCommand<Options>({
    path: spec.path,
    summary: spec.summary,
    positionals: [],
    options: { ...spec.filters, ...listOptions },
    examples: spec.examples,
    run: async ({ given, output, signal }) => {
      const limit = rows(textOf(given['num']));
      const { items, more } = await fetchItems(spec, given, limit, signal);
      output.result({ items, complete: !more }, () => {
        if (items.length === 0) return 'nothing found';
        const cells = items.map((item) => spec.columns.map((column) => column.cell(item)));
        return table(spec.columns, cells);
      });
      if (more) output.note(`only the first ${items.length} are shown: give --num N, or --num 0 for all`);
      return exitCode.ok;
    },
  });
}

async function fetchItems(
  spec: ListSpec,
  given: Readonly<Record<string, unknown>>,
  limit: number,
  signal: AbortSignal,
): Promise<{ readonly items: Page['items']; readonly more: boolean }> {
  const items: Readonly<Record<string, unknown>>[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams();
    for (const name of ['from', 'to', 'order', ...Object.keys(spec.filters)]) {
      const value = given[name];
      if (typeof value === 'string') query.set(name, value);
    }
    query.set('limit', String(Math.min(pageRows, limit - items.length)));
    if (cursor !== null) query.set('cursor', cursor);
    const page = (await getJson(
      queryUrl(textOf(given['query'])),
      `${spec.resource}?${query.toString()}`,
      signal,
    )) as Page;
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && items.length < limit);
  return { items, more: cursor !== null };
}

function rows(text: string | undefined): number {
  if (text === undefined) return 50;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new UsageError(`--num ${text}: give a whole number, 0 for all`);
  return value === 0 ? Number.MAX_SAFE_INTEGER : value;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A field of an item as text; empty where it is absent or null. */
export function cell(name: string): (item: Readonly<Record<string, unknown>>) => string {
  return (item) => {
    const value = item[name];
    if (value === undefined || value === null) return '';
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
}
