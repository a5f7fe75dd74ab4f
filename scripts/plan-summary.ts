import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../lib/runtime/errors.ts';
import { serviceNames } from '../services/catalogue.ts';
import type { PlanJson } from './plan/plan-json.ts';
import { summarise } from './plan/render.ts';
import { parseTraffic } from './plan/traffic.ts';

const usage = `usage: npm run plan:summary -- PLAN.json [--traffic FILE]

Prints what a reviewer wants to know of a plan as Markdown. PLAN.json comes from
"terraform show -json tfplan" or "npm run infra:plan -- FILE.tfvars --json PLAN.json".

  --traffic FILE  what is expected to flow (default flow/traffic.yaml)

Exit codes: 0 harmless, 1 not readable, 2 a resource that holds data would be
destroyed, 64 used wrongly.
`;

const exit = { harmless: 0, unreadable: 1, dataAtRisk: 2, usage: 64 } as const;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { traffic: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const [file] = positionals;
  if (values.help || file === undefined || positionals.length > 1) {
    process[values.help ? 'stdout' : 'stderr'].write(usage);
    return values.help ? exit.harmless : exit.usage;
  }
  const trafficFile = values.traffic ?? join(import.meta.dirname, '..', 'flow', 'traffic.yaml');
  const plan = JSON.parse(await readFile(file, 'utf8')) as PlanJson;
  const traffic = parseTraffic(await readFile(trafficFile, 'utf8'), trafficFile);
  const { markdown, atRisk } = summarise(plan, traffic, serviceNames);
  process.stdout.write(markdown);
  return atRisk.length > 0 ? exit.dataAtRisk : exit.harmless;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`plan:summary: ${messageOf(error)}\n`);
  process.exitCode = exit.unreadable;
}
