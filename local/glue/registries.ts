import type {
  CreateRegistryInput,
  CreateRegistryResponse,
  DeleteRegistryInput,
  DeleteRegistryResponse,
  GetRegistryInput,
  GetRegistryResponse,
  ListRegistriesInput,
  ListRegistriesResponse,
  RegistryListItem,
} from '@aws-sdk/client-glue';
import { GlueError } from './errors.ts';
import {
  checkName,
  type Context,
  findRegistry,
  type Outcome,
  own,
  page,
  type Registry,
  registryArn,
  registryName,
  type State,
  withRegistry,
} from './state.ts';

export function newRegistry(name: string, { now }: Context): Registry {
  return { name, description: undefined, tags: {}, createdTime: now, schemas: {} };
}

export function createRegistry(
  state: State,
  input: CreateRegistryInput,
  context: Context,
): Outcome<CreateRegistryResponse> {
  const name = checkName('RegistryName', input.RegistryName);
  if (own(state.registries, name) !== undefined) {
    throw new GlueError('AlreadyExistsException', `Registry already exists. RegistryName: ${name}`);
  }
  const tags = input.Tags ?? {};
  const registry: Registry = { ...newRegistry(name, context), description: input.Description, tags };
  const answer = {
    RegistryArn: registryArn(name, context),
    RegistryName: name,
    Description: registry.description,
    Tags: { ...tags },
  };
  return { answer, state: withRegistry(state, registry) };
}

export function getRegistry(
  state: State,
  input: GetRegistryInput,
  context: Context,
): Outcome<GetRegistryResponse> {
  return { answer: listed(findRegistry(state, registryName(input.RegistryId)), context) };
}

export function listRegistries(
  state: State,
  input: ListRegistriesInput,
  context: Context,
): Outcome<ListRegistriesResponse> {
  const { items, ...next } = page(Object.values(state.registries), input);
  return { answer: { Registries: items.map((registry) => listed(registry, context)), ...next } };
}

/** Its schemas go with it. */
export function deleteRegistry(
  state: State,
  input: DeleteRegistryInput,
  context: Context,
): Outcome<DeleteRegistryResponse> {
  const { name } = findRegistry(state, registryName(input.RegistryId));
  const { [name]: _, ...registries } = state.registries;
  const answer = { RegistryName: name, RegistryArn: registryArn(name, context), Status: 'DELETING' as const };
  return { answer, state: { ...state, registries } };
}

function listed(registry: Registry, context: Context): RegistryListItem {
  return {
    RegistryName: registry.name,
    RegistryArn: registryArn(registry.name, context),
    Description: registry.description,
    Status: 'AVAILABLE',
    CreatedTime: registry.createdTime,
    UpdatedTime: registry.createdTime,
  };
}
