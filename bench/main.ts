import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../lib/runtime/errors.ts';
import { renderTable, type BenchReport, type Progress } from './report.ts';

interface Bench {
  readonly run: (progress: Progress) => Promise<BenchReport>;
}

const here = dirname(fileURLToPath(import.meta.url));
const notBenches = new Set(['main.ts', 'report.ts']);
const USAGE = 'npm run bench -- NAME [--json]';

/** `npm run bench -- NAME [--json]`: one document or one table on stdout, progress on stderr. */
async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  });
  const [name] = positionals;
  const path = join(here, `${name}.ts`);
  if (name === undefined || !names().includes(name) || !existsSync(path)) {
    process.stderr.write(`${USAGE}\nThere are: ${names().join(', ')}\n`);
    return 2;
  }
  const bench = (await import(pathToFileURL(path).href)) as Bench;
  const report = await bench.run((line) => process.stderr.write(`${line}\n`));
  process.stdout.write(values.json ? `${JSON.stringify(report, undefined, 2)}\n` : renderTable(report));
  for (const missed of report.targets.filter((target) => !target.met)) {
    process.stderr.write(`Not met: ${missed.metric} is ${missed.actual}, wanted ${missed.target}\n`);
  }
  return 0;
}

function names(): readonly string[] {
  return readdirSync(here)
    .filter((file) => file.endsWith('.ts') && !notBenches.has(file))
    .map((file) => file.slice(0, -3))
    .toSorted();
}

// So that what is to be removed at the end is removed; children end by themselves when their channel closes.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
