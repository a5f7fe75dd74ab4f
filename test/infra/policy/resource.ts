import type { Attributes, ConfiguredResource, PlanJson } from '../../../scripts/plan/plan-json.ts';

/** A resource as a plan shows it: what is known, what is known only later, and whom it refers to. */
export interface Resource {
  readonly type: string;
  readonly address: string;
  readonly values: Attributes;
  /** Attributes that will have a value, such as the ARN of a key that does not exist yet. */
  readonly later: readonly string[];
  /** Attribute → addresses that its expression mentions. */
  readonly references: Readonly<Record<string, readonly string[]>>;
}

export function resourcesOf(plan: PlanJson): readonly Resource[] {
  const configured = new Map(
    (plan.configuration?.root_module?.resources ?? []).map((resource) => [resource.address, resource]),
  );
  return (plan.resource_changes ?? [])
    .filter((change) => change.mode === 'managed' && change.change.after !== null)
    .map((change) => ({
      type: change.type,
      address: change.address,
      values: change.change.after ?? {},
      later: laterPaths(change.change.after_unknown ?? {}),
      references: referencesOf(configured.get(`${change.type}.${change.name}`)),
    }));
}

/** `["arn", "server_side_encryption.0.kms_key_arn"]` */
function laterPaths(unknown: unknown, path = ''): readonly string[] {
  if (unknown === true) return [path];
  if (typeof unknown !== 'object' || unknown === null) return [];
  return Object.entries(unknown).flatMap(([key, value]) => laterPaths(value, path ? `${path}.${key}` : key));
}

function referencesOf(configured: ConfiguredResource | undefined): Resource['references'] {
  return Object.fromEntries(
    Object.entries(configured?.expressions ?? {}).map(([name, expression]) => [name, mentioned(expression)]),
  );
}

function mentioned(expression: unknown): readonly string[] {
  if (typeof expression !== 'object' || expression === null) return [];
  if ('references' in expression) return expression.references as readonly string[];
  return Object.values(expression).flatMap(mentioned);
}

/** The value at `a.0.b`; undefined where there is none. */
export function at(resource: Resource, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null ? (value as Attributes)[key] : undefined),
      resource.values,
    );
}

/** The text at a path; empty where there is none. */
export function text(resource: Resource, path: string): string {
  const value = at(resource, path);
  return typeof value === 'string' ? value : '';
}

/** Has a value, or will have one. */
export function given(resource: Resource, path: string): boolean {
  const value = at(resource, path);
  const empty =
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
  return !empty || resource.later.some((later) => later === path || later.startsWith(`${path}.`));
}

/** Resources of a type that refer to this one by an attribute. */
export function attached(
  all: readonly Resource[],
  type: string,
  attribute: string,
  to: Resource,
): readonly Resource[] {
  const plain = to.address.replace(/\[.*\]$/, '');
  return all.filter(
    (other) =>
      other.type === type &&
      (other.references[attribute] ?? []).some(
        (address) => address === plain || address.startsWith(`${plain}.`),
      ),
  );
}

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The statements of a policy attribute; undefined where it is known only after the apply. */
export function statementsOf(resource: Resource, path: string): readonly PolicyStatement[] | undefined {
  const text = at(resource, path);
  if (typeof text !== 'string') return undefined;
  return (JSON.parse(text) as { readonly Statement: readonly PolicyStatement[] }).Statement;
}

export function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}
