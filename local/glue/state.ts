import type { Compatibility, DataFormat, RegistryId, SchemaId } from '@aws-sdk/client-glue';
import { GlueError } from './errors.ts';

/** Everything the registry knows; it is kept as one JSON file. */
export interface State {
  readonly registries: Readonly<Record<string, Registry>>;
}

export interface Registry {
  readonly name: string;
  readonly description: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdTime: string;
  readonly schemas: Readonly<Record<string, Schema>>;
}

export interface Schema {
  readonly registry: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly format: DataFormat;
  readonly compatibility: Compatibility;
  /** The number of the version that was the latest when the compatibility mode was last set. */
  readonly checkpoint: number;
  /** By number, rising; deleted ones leave gaps. */
  readonly versions: readonly Version[];
  readonly createdTime: string;
  readonly updatedTime: string;
}

export interface Version {
  readonly number: number;
  readonly id: string;
  readonly definition: string;
  /** FAILURE: it breaks the compatibility mode. It keeps its number and is never the latest. */
  readonly status: 'AVAILABLE' | 'FAILURE';
  readonly createdTime: string;
  readonly metadata: readonly Metadata[];
}

/** The same key may carry several values. */
export interface Metadata {
  readonly key: string;
  readonly value: string;
  readonly createdTime: string;
}

/** What an operation knows besides its input and the state. */
export interface Context {
  readonly region: string;
  readonly accountId: string;
  /** ISO 8601. */
  readonly now: string;
  readonly newId: () => string;
}

/** An operation's answer and, when it changed something, the new state. */
export interface Outcome<T> {
  readonly answer: T;
  readonly state?: State;
}

/** The registry of requests that name none. */
export const defaultRegistry = 'default-registry';

export function registryArn(name: string, { region, accountId }: Context): string {
  return `arn:aws:glue:${region}:${accountId}:registry/${name}`;
}

export function schemaArn(schema: Pick<Schema, 'registry' | 'name'>, { region, accountId }: Context): string {
  return `arn:aws:glue:${region}:${accountId}:schema/${schema.registry}/${schema.name}`;
}

export function registryName(id: RegistryId | undefined): string {
  if (id?.RegistryName !== undefined && id.RegistryArn !== undefined) {
    throw new GlueError('InvalidInputException', 'Give RegistryName or RegistryArn, not both.');
  }
  return id?.RegistryName ?? id?.RegistryArn?.split('/').at(-1) ?? defaultRegistry;
}

/** Names come from clients; `constructor` is one like any other. */
export function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** @throws GlueError EntityNotFoundException */
export function findRegistry(state: State, name: string): Registry {
  const found = own(state.registries, name);
  if (found !== undefined) return found;
  throw new GlueError('EntityNotFoundException', `Registry is not found. RegistryName: ${name}`);
}

/** @throws GlueError EntityNotFoundException, InvalidInputException */
export function findSchema(state: State, id: SchemaId | undefined): Schema {
  if (id?.SchemaArn !== undefined && (id.SchemaName ?? id.RegistryName) !== undefined) {
    throw new GlueError(
      'InvalidInputException',
      'Give SchemaArn, or SchemaName with RegistryName, not both.',
    );
  }
  const [, arnRegistry, arnName] = id?.SchemaArn?.split('/') ?? [];
  const registry = id?.RegistryName ?? arnRegistry ?? defaultRegistry;
  const name = id?.SchemaName ?? arnName;
  if (name === undefined)
    throw new GlueError('InvalidInputException', 'Give SchemaArn, or SchemaName with RegistryName.');
  const found = own(own(state.registries, registry)?.schemas, name);
  if (found !== undefined) return found;
  throw new GlueError(
    'EntityNotFoundException',
    `Schema is not found. RegistryName: ${registry}, SchemaName: ${name}`,
  );
}

export function withRegistry(state: State, registry: Registry): State {
  return { ...state, registries: { ...state.registries, [registry.name]: registry } };
}

export function withSchema(state: State, schema: Schema): State {
  const registry = findRegistry(state, schema.registry);
  return withRegistry(state, { ...registry, schemas: { ...registry.schemas, [schema.name]: schema } });
}

/** The version that readers get for "latest": a refused one is not. */
export function latestVersion(schema: Schema): Version | undefined {
  return schema.versions.filter(({ status }) => status === 'AVAILABLE').at(-1);
}

/** Numbers are never given twice. */
export function nextNumber(schema: Schema): number {
  return (schema.versions.at(-1)?.number ?? 0) + 1;
}

const resourceName = /^[a-zA-Z0-9_$#.-]{1,255}$/;

/** @throws GlueError InvalidInputException */
export function checkName(what: string, name: string | undefined): string {
  if (name !== undefined && resourceName.test(name)) return name;
  throw new GlueError(
    'InvalidInputException',
    `${what} "${name ?? ''}" must be 1 to 255 letters, digits, hyphens, underscores, dots, dollar or hash signs.`,
  );
}

/** One page of `all` and the token of the next. */
export function page<T>(
  all: readonly T[],
  input: { readonly MaxResults?: number | undefined; readonly NextToken?: string | undefined },
): { readonly items: readonly T[]; readonly NextToken?: string } {
  const start = input.NextToken === undefined ? 0 : Number(input.NextToken);
  const size = input.MaxResults ?? pageMax;
  if (!Number.isInteger(start) || start < 0)
    throw new GlueError('InvalidInputException', 'NextToken is not valid.');
  if (!(size >= 1 && size <= pageMax)) {
    throw new GlueError('InvalidInputException', `MaxResults must be 1 to ${pageMax}.`);
  }
  const end = start + size;
  return { items: all.slice(start, end), ...(end < all.length ? { NextToken: String(end) } : {}) };
}

/** MaxResults at most (Glue API reference, ListSchemas). */
const pageMax = 100;
