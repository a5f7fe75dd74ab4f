import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlatformError } from '../../lib/runtime/errors.ts';

export interface TerraformRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** No run here takes a quarter of this; past it Terraform waits for something that will not come. */
const runMsMax = 240_000;

/** Runs `terraform` in a folder, with colours, version checks and the user's own settings switched off. */
export async function terraform(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<TerraformRun> {
  const settings = join(tmpdir(), 'weir-terraform-empty.rc');
  await writeFile(settings, '');
  return new Promise((resolve, reject) => {
    const child = spawn('terraform', args, {
      cwd: folder,
      timeout: runMsMax,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        CHECKPOINT_DISABLE: '1',
        TF_CLI_CONFIG_FILE: settings,
        TF_IN_AUTOMATION: '1',
        TF_CLI_ARGS: '-no-color',
        ...env,
      },
    });
    const out: string[] = [];
    const err: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text));
    child.on('error', (cause) =>
      reject(
        new PlatformError('terraform-missing', 'terraform cannot be started: install it on PATH', { cause }),
      ),
    );
    child.on('close', (code) => resolve({ code: code ?? 1, stdout: out.join(''), stderr: err.join('') }));
  });
}

/** The same, for steps that must work: anything but exit code 0 becomes an error with what Terraform said. */
export async function mustTerraform(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<TerraformRun> {
  const run = await terraform(folder, args, env);
  if (run.code !== 0) {
    throw new PlatformError(
      'terraform-failed',
      `terraform ${args[0] ?? ''} failed (${run.code}):\n${run.stderr || run.stdout}`,
    );
  }
  return run;
}
