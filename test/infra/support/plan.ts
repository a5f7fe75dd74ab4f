import { resolve } from 'node:path';
import { assert } from '../../../lib/runtime/errors.ts';
import { withWorkspace } from '../../../scripts/offline/workspace.ts';
import type { PlanJson } from '../../../scripts/plan/plan-json.ts';
import { platformStack } from './stack.ts';

export interface Planned {
  /** What `terraform plan` printed. */
  readonly text: string;
  readonly plan: PlanJson;
}

/** A plan takes seconds: one per installation and run, shared by every test that asks, both made side by side. */
const planned = new Map<string, Promise<Planned>>();
const environments = ['dev', 'prod'] as const;

/** A real plan of the platform from nothing, with the provider of the mirror and a tfvars file of envs. */
export async function planOf(
  environment: (typeof environments)[number],
  pluginDir: string,
): Promise<Planned> {
  if (planned.size === 0) {
    for (const name of environments) planned.set(name, plan(resolve('envs', `${name}.tfvars`), pluginDir));
    // Whoever asks for one of them hears of its failure; both are waited for, so that none is left behind.
    await Promise.allSettled(planned.values());
  }
  const found = planned.get(environment);
  assert(found, `no plan of ${environment}`);
  return found;
}

async function plan(tfvars: string, pluginDir: string): Promise<Planned> {
  return withWorkspace(platformStack(), pluginDir, async ({ mustRun }) => {
    const run = await mustRun(['plan', '-input=false', '-lock=false', '-out=tfplan', `-var-file=${tfvars}`]);
    const shown = await mustRun(['show', '-json', 'tfplan']);
    return { text: run.stdout, plan: JSON.parse(shown.stdout) as PlanJson };
  });
}
