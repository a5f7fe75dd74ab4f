import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { incompatibilities } from '../../lib/event/avro-compatibility.ts';
import { parseAvroSchema } from '../../lib/event/avro-schema.ts';
import { ConfigError, messageOf } from '../../lib/runtime/errors.ts';
import { type EventSchema, readSchemas } from './schemas.ts';

/** A version that was deployed: events of it lie on streams and in the archive for ever. */
export interface PublishedVersion {
  readonly name: string;
  readonly version: number;
  readonly definition: string;
}

/** Where the published versions of a folder of schemas are: `NAME/VERSION.avsc`, counted from 1. */
export const publishedFolder = (folder: string): string => join(folder, 'published');

/**
 * The schemas of a folder, once each of them is known to read what its last published version wrote (BACKWARD, the rule
 * of the deployed registry) and to be published itself. Asks nobody: what is refused here never reaches AWS.
 * @throws ConfigError that lists every problem: schema, path inside it, and the fix
 */
export function deployableSchemas(folder: string): readonly EventSchema[] {
  const schemas = readSchemas(folder);
  const published = readPublished(folder);
  const gone = [...published.keys()].filter((name) => !schemas.some((schema) => schema.name === name));
  const problems = [
    ...schemas.flatMap((schema) => schemaProblems(schema, published.get(schema.name))),
    ...gone.map(
      (name) => `${name}: was published and is gone, but its events are not: restore ${folder}/${name}.avsc`,
    ),
  ];
  if (problems.length > 0) throw new ConfigError(`Schemas of ${folder} cannot be deployed`, problems);
  return schemas;
}

/** What keeps a schema from being deployed after its last published version. */
function schemaProblems(schema: EventSchema, last: PublishedVersion | undefined): readonly string[] {
  const broken = breaks(schema, last);
  if (broken.length > 0) return broken;
  return last !== undefined && sameJson(last.definition, schema.definition)
    ? []
    : [
        `${schema.name}: has no published version like it: run npm run schema:publish and commit the new file`,
      ];
}

/** Every reason why a schema cannot read what was written with an earlier version of it, with the fix. */
export function breaks(schema: EventSchema, last: PublishedVersion | undefined): readonly string[] {
  if (last === undefined) return [];
  try {
    const [reader, writer] = [schema, last].map(({ definition }) => parseAvroSchema(JSON.parse(definition)));
    if (reader === undefined || writer === undefined) return [];
    return incompatibilities(reader, writer).map(
      ({ path, message }) =>
        `${schema.name}: ${path || '/'}: ${message}; published version ${last.version} must stay readable: ${fixOf(path)}`,
    );
  } catch (error) {
    return [`${schema.name}: ${messageOf(error)}: give it a valid Avro schema`];
  }
}

/** By the last step of the path: names, sizes and symbols have fixes of their own, all else is a field's type. */
function fixOf(path: string): string {
  if (path.endsWith('/name')) return 'keep the name, or list the old one in "aliases"';
  if (path.endsWith('/size')) return 'keep the size, and add a field for the new one';
  if (path.endsWith('/symbols')) return 'keep the symbols, or give the enum a "default"';
  return 'give a new field a "default", keep or widen the type of an old one';
}

/** The last version of every schema that was ever published. */
export function readPublished(folder: string): ReadonlyMap<string, PublishedVersion> {
  const root = publishedFolder(folder);
  if (!existsSync(root)) return new Map();
  return new Map(
    readdirSync(root).flatMap((name) => {
      const version = lastVersion(join(root, name));
      const definition = readFileSync(join(root, name, `${version}.avsc`), 'utf8');
      return [[name, { name, version, definition }]];
    }),
  );
}

/** Versions count from 1 without a gap, as the registry's do. */
function lastVersion(folder: string): number {
  const versions = readdirSync(folder)
    .map((file) => Number(file.replace(/\.avsc$/, '')))
    .toSorted((a, b) => a - b);
  const whole = versions.length > 0 && versions.every((version, at) => version === at + 1);
  if (whole) return versions.length;
  throw new ConfigError(`Published versions of ${folder} are not 1.avsc, 2.avsc, …`, [
    `it holds ${versions.join(', ') || 'nothing'}: restore the missing file from the history of the repository`,
  ]);
}

/** White space apart: what Glue, too, takes for one definition. */
export function sameJson(left: string, right: string): boolean {
  return JSON.stringify(JSON.parse(left)) === JSON.stringify(JSON.parse(right));
}
