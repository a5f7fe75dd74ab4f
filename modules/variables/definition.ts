/** One Terraform variable: what a user may write in a tfvars file, and what is refused before any call to AWS. */
export interface VariableDefinition {
  readonly name: string;
  /** A Terraform type expression; `optional()` gives the value of an attribute that is left out. */
  readonly type: string;
  readonly description: string;
  /** Absent means that the tfvars file must give it. */
  readonly fallback?: unknown;
  readonly rules?: readonly Rule[];
}

/** Terraform reports every rule that does not hold, in one run. */
export interface Rule {
  /** An HCL condition. `||` and `&&` do not short-circuit before Terraform 1.12: use ternaries around null. */
  readonly holds: string;
  /** Names the variable and the fix; may hold `${…}` expressions. */
  readonly otherwise: string;
}

/** `["a", "b"]` as HCL. */
export function hclList(values: readonly (string | number)[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(', ')}]`;
}

/** Keys of a map variable that are not in `known`, as an HCL list. */
export function unknownKeys(variable: string, known: readonly string[]): string {
  return `setsubtract(keys(var.${variable}), ${hclList(known)})`;
}
