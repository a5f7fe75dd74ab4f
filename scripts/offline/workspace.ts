import { rmSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLoopback } from './loopback.ts';
import { offlineOverride, withoutNewerAttributes, type StackJson } from './stack.ts';
import { mustTerraform, terraform, type TerraformRun } from './terraform.ts';

/** A temporary folder with the stack in it, initialised from a plugin mirror: no network, no account. */
export interface Workspace {
  readonly folder: string;
  readonly run: (args: readonly string[]) => Promise<TerraformRun>;
  readonly mustRun: (args: readonly string[]) => Promise<TerraformRun>;
}

/** Initialises once per process and mirror: it takes seconds, and every workspace has the same provider. */
const initialised = new Map<string, Promise<string>>();

async function initialise(pluginDir: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-terraform-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'main.tf.json'), JSON.stringify(offlineOverride('http://127.0.0.1:1')));
  await mustTerraform(folder, ['init', '-input=false', `-plugin-dir=${pluginDir}`]);
  return folder;
}

/** Makes the workspace, does `work` in it and removes it, whatever happens. */
export async function withWorkspace<T>(
  stack: StackJson,
  pluginDir: string,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const ready = initialised.get(pluginDir) ?? initialise(pluginDir);
  initialised.set(pluginDir, ready);
  const initialisedFolder = await ready;
  const loopback = await startLoopback();
  const folder = await mkdtemp(join(tmpdir(), 'weir-stack-'));
  try {
    await fill(folder, stack, loopback.endpoint);
    await copyFile(join(initialisedFolder, '.terraform.lock.hcl'), join(folder, '.terraform.lock.hcl'));
    const env = { TF_DATA_DIR: join(initialisedFolder, '.terraform') };
    return await work({
      folder,
      run: (args) => terraform(folder, args, env),
      mustRun: (args) => mustTerraform(folder, args, env),
    });
  } finally {
    await loopback.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(folder: string, stack: StackJson, endpoint: string): Promise<void> {
  await writeFile(join(folder, 'cdk.tf.json'), JSON.stringify(withoutNewerAttributes(stack), null, 1));
  await writeFile(join(folder, 'offline_override.tf.json'), JSON.stringify(offlineOverride(endpoint)));
}
