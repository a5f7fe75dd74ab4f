import { resolve } from 'node:path';
import { withWorkspace } from '../../../scripts/offline/workspace.ts';
import type { PlanJson } from '../../../scripts/plan/plan-json.ts';
import { platformStack } from './stack.ts';

export interface Planned {
  /** What `terraform plan` printed. */
  readonly text: string;
  readonly plan: PlanJson;
}

/** A plan takes seconds: one per installation and run, shared by every test that asks. */
const planned = new Map<string, Promise<Planned>>();

/** A real plan of the platform from nothing, with the provider of the mirror and a tfvars file of envs. */
export function planOf(environment: 'dev' | 'prod', pluginDir: string): Promise<Planned> {
  const found = planned.get(environment) ?? plan(resolve('envs', `${environment}.tfvars`), pluginDir);
  planned.set(environment, found);
  return found;
}

async function plan(tfvars: string, pluginDir: string): Promise<Planned> {
  return withWorkspace(platformStack(), pluginDir, async ({ mustRun }) => {
    const run = await mustRun(['plan', '-input=false', '-lock=false', '-out=tfplan', `-var-file=${tfvars}`]);
    const shown = await mustRun(['show', '-json', 'tfplan']);
    return { text: run.stdout, plan: JSON.parse(shown.stdout) as PlanJson };
  });
}
