import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf, PlatformError } from '../lib/runtime/errors.ts';
import { findPluginDir, offlineProviderVersion } from './offline/provider.ts';
import type { StackJson } from './offline/stack.ts';
import { synthesise } from './offline/synthesise.ts';
import { withWorkspace } from './offline/workspace.ts';

const usage = `usage: npm run infra:plan -- FILE.tfvars [--json PLAN.json] [--full]

Plans the deployment of FILE.tfvars from nothing: no account, no network, no
state. Needs terraform on PATH and a mirror of the AWS provider ${offlineProviderVersion}
(TF_PLUGIN_DIR). The result goes to stdout, progress to stderr.

  --json FILE  also write the plan as JSON, for npm run plan:summary
  --full       print the whole plan, not only its last line

Exit codes: 0 planned, 1 refused (what is wrong is said), 2 used wrongly,
4 terraform or the mirror is missing.
`;

const exit = { planned: 0, refused: 1, usage: 2, missing: 4 } as const;

const planArgs = ['plan', '-input=false', '-lock=false', '-out=tfplan'] as const;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'string' }, full: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  const [file] = positionals;
  if (values.help || file === undefined || positionals.length > 1) {
    process[values.help ? 'stdout' : 'stderr'].write(usage);
    return values.help ? exit.planned : exit.usage;
  }
  const pluginDir = findPluginDir(process.env);
  if (pluginDir === undefined) {
    process.stderr.write(
      `infra:plan: no mirror of the AWS provider ${offlineProviderVersion}: name its folder in TF_PLUGIN_DIR\n`,
    );
    return exit.missing;
  }
  if (!existsSync(file)) {
    process.stderr.write(`infra:plan: there is no file ${file}: try envs/dev.tfvars\n`);
    return exit.usage;
  }
  return plan(resolve(file), pluginDir, values);
}

const step = (text: string): void => void process.stderr.write(`${text}\n`);

async function plan(
  file: string,
  pluginDir: string,
  options: { readonly json?: string; readonly full?: boolean },
): Promise<number> {
  step('synthesising the stack');
  const stack = JSON.parse(synthesise()) as StackJson;
  step('planning it');
  return withWorkspace(stack, pluginDir, async (workspace) => {
    const run = await workspace.run([...planArgs, `-var-file=${file}`]);
    if (run.code !== 0) {
      process.stderr.write(run.stderr);
      return exit.refused;
    }
    const summary = /^Plan: .*$/m.exec(run.stdout)?.[0] ?? 'No changes.';
    process.stdout.write(options.full ? run.stdout : `${summary}\n`);
    if (options.json !== undefined) {
      const shown = await workspace.mustRun(['show', '-json', 'tfplan']);
      await writeFile(options.json, shown.stdout);
    }
    return exit.planned;
  });
}

/** What was thrown as an exit code; parseArgs throws a TypeError. */
function exitOf(error: unknown): number {
  if (!(error instanceof PlatformError)) return exit.usage;
  return error.code === 'terraform-missing' ? exit.missing : exit.refused;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`infra:plan: ${messageOf(error)}\n`);
  process.exitCode = exitOf(error);
}
