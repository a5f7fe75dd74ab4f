import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ConfigError } from '../../lib/runtime/errors.ts';

/** Names of the streams that a routes.yaml sends to, in its order. Throws a ConfigError when it has none. */
export function readRoutedStreams(file: string): readonly string[] {
  const rules: unknown = parse(readFileSync(file, 'utf8'));
  const streams =
    typeof rules === 'object' && rules !== null && 'streams' in rules ? rules.streams : undefined;
  if (typeof streams !== 'object' || streams === null || Object.keys(streams).length === 0) {
    throw new ConfigError(`${file} cannot be deployed`, ['it has no "streams": name at least one stream']);
  }
  return Object.keys(streams);
}
