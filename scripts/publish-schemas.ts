import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError, messageOf } from '../lib/runtime/errors.ts';
import { breaks, publishedFolder, readPublished, sameJson } from '../modules/schema-registry/history.ts';
import { readSchemas } from '../modules/schema-registry/schemas.ts';

const usage = `usage: npm run schema:publish [-- --folder DIR]

Writes every new or changed schema of DIR (default flow/schemas) as the next version
under DIR/published, to be committed with it. A schema that cannot read what its last
version wrote is refused, and nothing is written.
`;

/** Exit codes: 0 all are published, 1 refused, 2 used wrongly. */
const exit = { published: 0, refused: 1, usage: 2 } as const;

function publish(folder: string): void {
  const schemas = readSchemas(folder);
  const published = readPublished(folder);
  const problems = schemas.flatMap((schema) => breaks(schema, published.get(schema.name)));
  if (problems.length > 0) throw new ConfigError(`Schemas of ${folder} cannot be published`, problems);
  const changed = schemas.filter(({ name, definition }) => {
    const last = published.get(name);
    return last === undefined || !sameJson(last.definition, definition);
  });
  for (const { name, definition } of changed) {
    const version = (published.get(name)?.version ?? 0) + 1;
    const file = join(publishedFolder(folder), name, `${version}.avsc`);
    mkdirSync(join(publishedFolder(folder), name), { recursive: true });
    writeFileSync(file, `${definition}\n`);
    process.stdout.write(`${file}\n`);
  }
  if (changed.length === 0) process.stderr.write('Every schema is published as it is\n');
}

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { folder: { type: 'string', default: 'flow/schemas' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help || positionals.length > 0) {
    process[values.help ? 'stdout' : 'stderr'].write(usage);
    return values.help ? exit.published : exit.usage;
  }
  publish(values.folder);
  return exit.published;
}

try {
  process.exitCode = main();
} catch (error) {
  process.stderr.write(`schema:publish: ${messageOf(error)}\n`);
  process.exitCode = error instanceof ConfigError ? exit.refused : exit.usage;
}
