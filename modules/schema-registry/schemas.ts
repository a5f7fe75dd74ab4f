import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, messageOf } from '../../lib/runtime/errors.ts';

/** One Avro schema of the flow: `name` is its file name without `.avsc`, `definition` its JSON, indented by two. */
export interface EventSchema {
  readonly name: string;
  readonly definition: string;
}

/** Limits of Glue: https://docs.aws.amazon.com/glue/latest/dg/schema-registry.html */
const nameLengthMax = 255;
const definitionBytesMax = 170_000;

/** Every `*.avsc` of a folder in order of name. Throws a ConfigError that lists every file that cannot be used. */
export function readSchemas(folder: string): readonly EventSchema[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.avsc'))
    .toSorted();
  const problems: string[] = [];
  const schemas = files.flatMap((file) => {
    try {
      return [schemaOf(file, readFileSync(join(folder, file), 'utf8'))];
    } catch (error) {
      problems.push(`${file} ${messageOf(error)}`);
      return [];
    }
  });
  if (problems.length > 0) throw new ConfigError(`Schemas of ${folder} cannot be deployed`, problems);
  return schemas;
}

function schemaOf(file: string, text: string): EventSchema {
  const name = file.slice(0, -'.avsc'.length);
  if (!/^[A-Za-z0-9._$#-]+$/.test(name) || name.length > nameLengthMax) {
    throw new RangeError('is not a schema name of Glue: use letters, digits, ".", "_", "-"');
  }
  const definition = JSON.stringify(JSON.parse(text), null, 2);
  if (Buffer.byteLength(definition) > definitionBytesMax) {
    throw new RangeError(`is larger than the ${definitionBytesMax} bytes that Glue takes: split it`);
  }
  return { name, definition };
}
