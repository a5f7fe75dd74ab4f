/**
 * The parts of `terraform show -json PLAN` that we read. Format 1.x:
 * https://developer.hashicorp.com/terraform/internals/json-format
 */
export interface PlanJson {
  readonly format_version: string;
  readonly terraform_version: string;
  readonly variables?: Readonly<Record<string, { readonly value: unknown }>>;
  readonly resource_changes?: readonly ResourceChange[];
  readonly configuration?: {
    readonly root_module?: { readonly resources?: readonly ConfiguredResource[] };
  };
}

export interface ResourceChange {
  readonly address: string;
  readonly mode: 'managed' | 'data';
  readonly type: string;
  readonly name: string;
  readonly index?: string | number;
  readonly change: Change;
  /** Why it must be replaced, where Terraform says. */
  readonly action_reason?: string;
}

export type Action = 'no-op' | 'create' | 'read' | 'update' | 'delete' | 'forget';

export interface Change {
  readonly actions: readonly Action[];
  readonly before: Attributes | null;
  readonly after: Attributes | null;
  /** Shaped like `after`; true where a value is known only after the apply. */
  readonly after_unknown?: Attributes;
  /** Attributes that force a replacement. */
  readonly replace_paths?: readonly (readonly (string | number)[])[];
}

export type Attributes = Readonly<Record<string, unknown>>;

export interface ConfiguredResource {
  readonly address: string;
  readonly expressions?: Readonly<Record<string, unknown>>;
}
