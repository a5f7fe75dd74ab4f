import type { Resource } from './resource.ts';

/** One check of the list in docs/operations.md; ids are those of checkov, so that a reviewer can look them up. */
export interface Rule {
  readonly ids: readonly string[];
  readonly type: string;
  /** What every resource of the type must be; the sentence of the test. */
  readonly must: string;
  readonly holds: (resource: Resource, all: readonly Resource[]) => boolean;
  /** Makes a good plan bad: the check must then find something. */
  readonly spoil: (all: readonly Resource[]) => readonly Resource[];
  /** Resources where the rule is broken on purpose, each with the reason. */
  readonly accepted?: Readonly<Record<string, string>>;
}

/** Addresses that break a rule and are not accepted. */
export function findings(rule: Rule, all: readonly Resource[]): readonly string[] {
  return all
    .filter((resource) => resource.type === rule.type && !rule.holds(resource, all))
    .map((resource) => resource.address)
    .filter((address) => !(address in (rule.accepted ?? {})));
}

/** Sets an attribute (`a.0.b`) of every resource of a type; null takes it away, also where it is not known yet. */
export function set(type: string, path: string, value: unknown): Rule['spoil'] {
  return (all) =>
    all.map((resource) => {
      if (resource.type !== type) return resource;
      const values = structuredClone(resource.values) as Record<string, unknown>;
      assign(values, path.split('.'), value);
      const later = resource.later.filter((other) => other !== path && !other.startsWith(`${path}.`));
      return { ...resource, values, later };
    });
}

function assign(target: Record<string, unknown>, [key, ...rest]: readonly string[], value: unknown): void {
  if (key === undefined) return;
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  target[key] ??= {};
  assign(target[key] as Record<string, unknown>, rest, value);
}

/** Takes every resource of a type away. */
export function drop(type: string): Rule['spoil'] {
  return (all) => all.filter((resource) => resource.type !== type);
}
