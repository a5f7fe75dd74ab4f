// `npm run e2e -- --data DIR`: real files through the whole platform, compared with their true statistics; then once
// more while random services are killed.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type CheckResult, compare } from './checks.ts';
import { dataFiles, readStats } from './files.ts';
import { type FileRunOptions, runFile } from './run-file.ts';

const exitCode = { ok: 0, failure: 1, usage: 2, checkFailed: 6, interrupted: 130 } as const;
/** Kills come this often; sending is slowed down so that each file meets several. */
const killEveryMs = 1_500;
const killRunSeconds = 8;

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/data' },
    only: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    'no-kills': { type: 'boolean', default: false },
    'only-kills': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const help = `npm run e2e -- [--data DIR] [--only NAME …] [--no-kills | --only-kills] [--seed N] [--json]

Sends each file of DIR through a fresh local platform with one inbound shard and
compares what comes out with the file's statistics; then again while random
services are killed. Exit 0 if all is equal, 6 if not.
Names: ${dataFiles.map((file) => file.name).join(', ')}`;

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(`${help}\n`);
    return exitCode.ok;
  }
  const folder = resolve(values.data);
  if (!existsSync(folder)) {
    process.stderr.write(`There is no folder ${folder}: give the data with --data DIR\n`);
    return exitCode.usage;
  }
  const chosen = dataFiles.filter((file) => values.only === undefined || values.only.includes(file.name));
  if (chosen.length === 0) {
    process.stderr.write(
      `--only ${values.only?.join(' ')}: give names of ${dataFiles.map((file) => file.name).join(', ')}\n`,
    );
    return exitCode.usage;
  }
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  const results: CheckResult[] = [];
  for (const kills of [false, true]) {
    if ((kills && values['no-kills']) || (!kills && values['only-kills'])) continue;
    for (const [index, file] of chosen.entries()) {
      if (stopping.signal.aborted) return exitCode.interrupted;
      const stats = await readStats(folder, file);
      const label = kills ? `${file.name} with kills` : file.name;
      const rate = Math.max(100, Math.ceil(stats.records / killRunSeconds));
      const options: FileRunOptions = {
        path: join(folder, file.file),
        kill: kills ? { seed: Number(values.seed) * 100 + index, everyMs: killEveryMs, rate } : undefined,
        repeatBatches: false,
      };
      const run = await runFile(options, stopping.signal);
      const checks = compare(label, stats, run.observed, kills ? { atLeast: 0 } : { exactly: 0 });
      const settled = {
        file: label,
        check: 'settled',
        expected: [],
        actual: run.behind,
        ok: run.behind.length === 0,
      };
      results.push(settled, ...checks);
      report(label, [settled, ...checks], run.totalSeconds, run.kills);
      if ([settled, ...checks].every((check) => check.ok)) await rm(run.dataDir, { recursive: true });
      else process.stderr.write(`  kept for a look: ${run.dataDir}\n`);
    }
  }
  const ok = results.every((result) => result.ok);
  if (values.json) process.stdout.write(`${JSON.stringify({ ok, results }, null, 2)}\n`);
  else process.stdout.write(`${table(results)}\n${ok ? 'all equal' : 'NOT equal'}\n`);
  return ok ? exitCode.ok : exitCode.checkFailed;
}

function report(
  label: string,
  checks: readonly CheckResult[],
  seconds: number,
  kills: readonly string[],
): void {
  const wrong = checks.filter((check) => !check.ok);
  const killed = kills.length > 0 ? `, ${kills.length} kills (${kills.join(' ')})` : '';
  const verdict = wrong.length === 0 ? 'equal' : `NOT equal: ${wrong.map((check) => check.check).join(', ')}`;
  process.stderr.write(`${label}: ${checks.length} checks ${verdict}, ${seconds.toFixed(1)} s${killed}\n`);
}

function table(results: readonly CheckResult[]): string {
  const shorten = (value: unknown): string => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return text.length > 14 ? `${text.slice(0, 13)}…` : text;
  };
  const row = (cells: readonly string[]): string =>
    `${cells[0]?.padEnd(27)} ${cells[1]?.padEnd(27)} ${cells[2]?.padStart(14)} ${cells[3]?.padStart(14)} ${cells[4]}`;
  return [
    row(['FILE', 'CHECK', 'EXPECTED', 'ACTUAL', '']),
    ...results.map((result) =>
      row([
        result.file,
        result.check,
        shorten(result.expected),
        shorten(result.actual),
        result.ok ? 'ok' : 'NO',
      ]),
    ),
  ].join('\n');
}

process.exitCode = await main();
