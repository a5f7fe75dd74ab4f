import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { terraform, type TerraformRun } from '../../../scripts/offline/terraform.ts';
import { platformStack } from './stack.ts';

/** Terraform is on PATH, or the test is skipped, and says so. */
export async function terraformOrSkip(test: Mocha.Context): Promise<void> {
  const found = await terraform(tmpdir(), ['version']).catch((error: unknown) => error);
  if (!(found instanceof Error)) return;
  process.stderr.write(`    skipped: ${found.message}\n`);
  test.skip();
}

/**
 * Plans a stack that holds nothing but the platform's variables: every type and rule is checked, in a fraction of a
 * second and without a provider. `files` are tfvars files, `values` go over them, as -var would.
 */
export async function planVariables(
  files: readonly string[],
  values: Readonly<Record<string, unknown>> = {},
): Promise<TerraformRun> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-variables-'));
  try {
    await writeFile(
      join(folder, 'variables.tf.json'),
      JSON.stringify({ variable: platformStack().variable }, null, 1),
    );
    await writeFile(join(folder, 'over.tfvars.json'), JSON.stringify(values));
    const given = [...files.map((file) => resolve(file)), 'over.tfvars.json'];
    return await terraform(folder, [
      'plan',
      '-input=false',
      '-lock=false',
      ...given.map((file) => `-var-file=${file}`),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
