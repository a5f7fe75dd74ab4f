import { isAttributeName } from '../limits.ts';
import {
  complain,
  entriesOf,
  fieldsOf,
  isMapping,
  itemsOf,
  oneOf,
  type Place,
  readRuleFile,
  textOf,
  textsOf,
} from '../rule-file.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Expression } from './expression.ts';
import type { FileFormat, Mapping, MappingExample } from './mapping.ts';
import { neededColumns } from './needed-columns.ts';
import { parsePath } from './path.ts';
import { readExpression } from './read-expression.ts';
import { timeFormat } from './time-format.ts';

/** Reads one file of flow/mappings. Throws ConfigError with every problem: its path and what to do. */
export function parseMapping(text: string, name: string, file = `flow/mappings/${name}.yaml`): Mapping {
  return readRuleFile(text, file, (root) => {
    const fields = fieldsOf(root, ['what', 'files', 'format', 'event'], ['data', 'examples']);
    const { event, data } = fields;
    const eventFields = event
      ? fieldsOf(event, ['id', 'type', 'time', 'subject', 'source'], ['attributes'])
      : {};
    const dataFields = data ? fieldsOf(data, [], ['rename', 'set']) : {};
    const expression = (place: Place | undefined): Expression =>
      place ? readExpression(place) : { kind: 'template', parts: [] };
    const mapping: Mapping = {
      name,
      what: textOf(fields['what']),
      files: textsOf(fields['files']),
      format: readFormat(fields['format']),
      id: expression(eventFields['id']),
      type: expression(eventFields['type']),
      subject: expression(eventFields['subject']),
      source: expression(eventFields['source']),
      time: readTime(eventFields['time']),
      attributes: readAttributes(eventFields['attributes']),
      rename: readRename(dataFields['rename']),
      set: dataFields['set'] ? namedExpressions(dataFields['set']) : [],
      examples: itemsOf(fields['examples']).map(readExample),
    };
    return withColumns(mapping);
  });
}

/** What CSV files of this mapping must have is known only when all expressions are. */
function withColumns(mapping: Mapping): Mapping {
  if (mapping.format.kind !== 'csv') return mapping;
  return { ...mapping, format: { ...mapping.format, columns: neededColumns(mapping) } };
}

function readFormat(place: Place | undefined): FileFormat {
  if (place === undefined) return { kind: 'ndjson' };
  if (isMapping(place.value)) {
    const { lines, csv } = fieldsOf(place, [], ['lines', 'csv']);
    if (lines && !csv) return { kind: 'lines', pattern: readPattern(lines) };
    if (csv && !lines) return { kind: 'csv', delimiter: readDelimiter(csv), columns: [] };
    complain(place, 'must have one of lines: PATTERN and csv: { delimiter: ";" }');
    return { kind: 'ndjson' };
  }
  const kind = oneOf(place, ['ndjson', 'csv', 'geojson']);
  return kind === 'csv' ? { kind, delimiter: ',', columns: [] } : { kind };
}

function readDelimiter(place: Place): string {
  const delimiter = textOf(fieldsOf(place, ['delimiter'])['delimiter']);
  if (delimiter.length !== 1) complain(place, 'the delimiter must be one character');
  return delimiter;
}

function readPattern(place: Place): RegExp {
  const source = textOf(place);
  try {
    const pattern = new RegExp(source, 'u');
    if (!source.includes('(?<')) complain(place, 'names no field: write groups like (?<status>\\d+)');
    return pattern;
  } catch (error) {
    complain(place, `is no regular expression: ${messageOf(error)}`);
    return /(?:)/;
  }
}

function readTime(place: Place | undefined): Mapping['time'] {
  const none = {
    path: parsePath(''),
    read: () => ({ problem: 'has no format', code: 'wrong-format' }) as const,
  };
  if (place === undefined) return none;
  const { from, format, zone } = fieldsOf(place, ['from', 'format'], ['zone']);
  const path = parsePath(textOf(from));
  const given = textOf(format);
  if (given === '') return none;
  const found = timeFormat(given, zone && textOf(zone));
  if (found.ok) return { path, read: found.read };
  complain(place, found.problem);
  return none;
}

function readAttributes(place: Place | undefined): Mapping['attributes'] {
  if (place === undefined) return [];
  const attributes = namedExpressions(place);
  for (const [name] of attributes) {
    if (isAttributeName(name)) continue;
    complain(place, `"${name}" is no attribute name: use 1 to 20 of a-z and 0-9, and no field of the event`);
  }
  return attributes;
}

function namedExpressions(place: Place): readonly (readonly [string, Expression])[] {
  return entriesOf(place).map(([name, value]) => [name, readExpression(value)] as const);
}

function readRename(place: Place | undefined): Mapping['rename'] {
  if (place === undefined) return new Map();
  const entries = entriesOf(place).map(([from, to]) => [from, textOf(to)] as const);
  const names = entries.map(([, to]) => to);
  if (new Set(names).size < names.length) complain(place, 'gives two fields the same name');
  return new Map(entries);
}

function readExample(place: Place): MappingExample {
  const { input, event, problem } = fieldsOf(place, ['input'], ['event', 'problem']);
  if ((event === undefined) === (problem === undefined))
    complain(place, 'must have one of event and problem');
  return {
    input: textOf(input),
    event: event && Object.fromEntries(entriesOf(event).map(([name, { value }]) => [name, value])),
    problem: problem && textOf(problem),
  };
}
