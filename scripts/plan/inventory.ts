import type { Attributes, PlanJson, ResourceChange } from './plan-json.ts';

/** What stands before or after a plan: only what cost and capacity ask for. */
export interface Item {
  readonly address: string;
  readonly type: string;
  readonly values: Attributes;
}

export function inventory(plan: PlanJson, side: 'before' | 'after'): readonly Item[] {
  return managed(plan).flatMap(({ address, type, change }) => {
    const values = change[side];
    return values === null ? [] : [{ address, type, values }];
  });
}

export function managed(plan: PlanJson): readonly ResourceChange[] {
  return (plan.resource_changes ?? []).filter(({ mode }) => mode === 'managed');
}

export function numberOf(values: Attributes, name: string): number | undefined {
  const value = values[name];
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value !== '' && Number.isFinite(Number(value))
    ? Number(value)
    : undefined;
}

export function textOf(values: Attributes, name: string): string {
  const value = values[name];
  return typeof value === 'string' ? value : '';
}

/** The first block of a nested block: Terraform gives them as lists. */
export function blockOf(values: Attributes, name: string): Attributes {
  const value = values[name];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'object' && first !== null ? (first as Attributes) : {};
}

/** The stream's name in tfvars: `weir-prod-city` → `city`. */
export function streamNoun(item: Item): string {
  return /\["(.+)"\]$/.exec(item.address)?.[1] ?? item.address.split('.')[1]?.replace(/\[.*$/, '') ?? '';
}
