import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseEvent } from '../lib/event/envelope.ts';
import type { Event } from '../lib/event/event.ts';
import { type FileBytes, plainBytes } from '../lib/event/mapping/file-bytes.ts';
import { lineRecords, parseJsonLine } from '../lib/event/mapping/lines.ts';
import { loadMappings, mappingFor } from '../lib/event/mapping/load-mappings.ts';
import type { Mapping } from '../lib/event/mapping/mapping.ts';
import { parseMapping } from '../lib/event/mapping/parse-mapping.ts';
import { readEvents } from '../lib/event/mapping/read-events.ts';
import { PlatformError } from '../lib/runtime/errors.ts';

/** How a file is read: by a mapping, or as lines that are events already. */
export type Reading = { readonly name: string; readonly mapping: Mapping } | typeof asEvents;

const asEvents = { name: 'events', mapping: undefined } as const;

export type FileEvents = AsyncIterable<
  { readonly line: number; readonly event: Event } | { readonly line: number; readonly problem: string }
>;

/**
 * `wanted`: a mapping file, a name in `folder`, or `events`; otherwise the file's name decides, and a file of JSON
 * lines that no mapping claims holds events.
 * @throws PlatformError `no-mapping`, ConfigError for a mapping that cannot be used
 */
export async function findMapping(
  folder: string,
  file: string,
  wanted: string | undefined,
): Promise<Reading> {
  if (wanted === asEvents.name) return asEvents;
  if (wanted !== undefined && existsSync(wanted)) {
    const mapping = parseMapping(await readFile(wanted, 'utf8'), basename(wanted, '.yaml'), wanted);
    return { name: mapping.name, mapping };
  }
  const mappings = await loadMappings(folder);
  if (wanted === undefined) return byFileName(file, mappings);
  const mapping = mappings.find((candidate) => candidate.name === wanted);
  if (mapping) return { name: mapping.name, mapping };
  const known = ['events', ...mappings.map((candidate) => candidate.name)].join(', ');
  throw new PlatformError('no-mapping', `There is no mapping "${wanted}": give a file, or one of ${known}`);
}

function byFileName(file: string, mappings: readonly Mapping[]): Reading {
  try {
    const mapping = mappingFor(file, mappings);
    return { name: mapping.name, mapping };
  } catch (error) {
    const jsonLines = /\.(ndjson|jsonl)(\.gz)?$/.test(file);
    if (jsonLines && error instanceof PlatformError && error.code === 'no-mapping') return asEvents;
    throw error;
  }
}

export async function* openEvents(bytes: FileBytes, { mapping }: Reading): FileEvents {
  if (mapping === undefined) {
    yield* nativeEvents(bytes);
    return;
  }
  for await (const entry of readEvents(bytes, mapping)) {
    if ('event' in entry) yield entry;
    else yield { line: entry.line, problem: `${entry.problem.field} ${entry.problem.detail}`.trim() };
  }
}

async function* nativeEvents(bytes: FileBytes): FileEvents {
  for await (const record of lineRecords(plainBytes(bytes), parseJsonLine)) {
    const { line } = record;
    if ('broken' in record) {
      yield { line, problem: record.broken };
      continue;
    }
    const parsed = parseEvent(record.row);
    if (parsed.ok) yield { line, event: parsed.event };
    else
      yield {
        line,
        problem: parsed.problems.map(({ pointer, detail }) => `${pointer} ${detail}`.trim()).join('; '),
      };
  }
}
