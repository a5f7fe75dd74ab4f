import type {
  CreateSchemaInput,
  CreateSchemaResponse,
  DeleteSchemaInput,
  DeleteSchemaResponse,
  GetSchemaInput,
  GetSchemaResponse,
  ListSchemasInput,
  ListSchemasResponse,
  UpdateSchemaInput,
  UpdateSchemaResponse,
} from '@aws-sdk/client-glue';
import { checkDefinition, isCompatibility } from './definitions.ts';
import { GlueError } from './errors.ts';
import { newRegistry } from './registries.ts';
import {
  checkName,
  type Context,
  defaultRegistry,
  findRegistry,
  findSchema,
  latestVersion,
  nextNumber,
  type Outcome,
  own,
  page,
  type Registry,
  registryArn,
  registryName,
  type Schema,
  schemaArn,
  type State,
  type Version,
  withRegistry,
  withSchema,
} from './state.ts';
import { findVersion } from './versions.ts';

/** The first version is accepted whatever the mode: there is nothing to be compatible with. */
export function createSchema(
  state: State,
  input: CreateSchemaInput,
  context: Context,
): Outcome<CreateSchemaResponse> {
  const name = checkName('SchemaName', input.SchemaName);
  const registry = registryFor(state, registryName(input.RegistryId), context);
  if (own(registry.schemas, name) !== undefined) {
    const message = `Schema already exists. RegistryName: ${registry.name}, SchemaName: ${name}`;
    throw new GlueError('AlreadyExistsException', message);
  }
  const compatibility = input.Compatibility ?? 'NONE';
  if (!isCompatibility(compatibility)) {
    throw new GlueError('InvalidInputException', `Compatibility ${String(compatibility)} is not valid.`);
  }
  const definition = checkDefinition(input.DataFormat, input.SchemaDefinition);
  const first: Version = {
    number: 1,
    id: context.newId(),
    definition,
    status: 'AVAILABLE',
    createdTime: context.now,
    metadata: [],
  };
  const schema: Schema = {
    registry: registry.name,
    name,
    description: input.Description,
    tags: input.Tags ?? {},
    format: input.DataFormat ?? 'AVRO',
    compatibility,
    checkpoint: 1,
    versions: [first],
    createdTime: context.now,
    updatedTime: context.now,
  };
  const { CreatedTime: _created, UpdatedTime: _updated, ...described } = describeSchema(schema, context);
  const answer = {
    ...described,
    Tags: { ...schema.tags },
    SchemaVersionId: first.id,
    SchemaVersionStatus: first.status,
  };
  return { answer, state: withSchema(withRegistry(state, registry), schema) };
}

/** The default registry comes into being with its first schema. */
function registryFor(state: State, name: string, context: Context): Registry {
  const isNewDefault = name === defaultRegistry && own(state.registries, name) === undefined;
  return isNewDefault ? newRegistry(name, context) : findRegistry(state, name);
}

export function getSchema(state: State, input: GetSchemaInput, context: Context): Outcome<GetSchemaResponse> {
  return { answer: describeSchema(findSchema(state, input.SchemaId), context) };
}

export function listSchemas(
  state: State,
  input: ListSchemasInput,
  context: Context,
): Outcome<ListSchemasResponse> {
  const registries =
    input.RegistryId === undefined
      ? Object.values(state.registries)
      : [findRegistry(state, registryName(input.RegistryId))];
  const schemas = registries.flatMap((registry) => Object.values(registry.schemas));
  const { items, ...next } = page(schemas, input);
  const listed = items.map((schema) => {
    const { RegistryName, SchemaName, SchemaArn, Description, SchemaStatus, CreatedTime, UpdatedTime } =
      describeSchema(schema, context);
    return { RegistryName, SchemaName, SchemaArn, Description, SchemaStatus, CreatedTime, UpdatedTime };
  });
  return { answer: { Schemas: listed, ...next } };
}

/** A new mode needs the version to check from (the checkpoint); earlier versions are not compared again. */
export function updateSchema(
  state: State,
  input: UpdateSchemaInput,
  context: Context,
): Outcome<UpdateSchemaResponse> {
  const schema = findSchema(state, input.SchemaId);
  const { Compatibility: mode, SchemaVersionNumber: number } = input;
  if (mode !== undefined && !isCompatibility(mode)) {
    throw new GlueError('InvalidInputException', `Compatibility ${String(mode)} is not valid.`);
  }
  if (mode !== undefined && number === undefined) {
    throw new GlueError(
      'InvalidInputException',
      'A change of Compatibility needs SchemaVersionNumber, the checkpoint.',
    );
  }
  const updated: Schema = {
    ...schema,
    compatibility: mode ?? schema.compatibility,
    checkpoint: number === undefined ? schema.checkpoint : findVersion(schema, number).number,
    description: input.Description ?? schema.description,
    updatedTime: context.now,
  };
  const answer = {
    SchemaArn: schemaArn(schema, context),
    SchemaName: schema.name,
    RegistryName: schema.registry,
  };
  return { answer, state: withSchema(state, updated) };
}

export function deleteSchema(
  state: State,
  input: DeleteSchemaInput,
  context: Context,
): Outcome<DeleteSchemaResponse> {
  const schema = findSchema(state, input.SchemaId);
  const registry = findRegistry(state, schema.registry);
  const { [schema.name]: _, ...schemas } = registry.schemas;
  const answer = {
    SchemaArn: schemaArn(schema, context),
    SchemaName: schema.name,
    Status: 'DELETING' as const,
  };
  return { answer, state: withRegistry(state, { ...registry, schemas }) };
}

function describeSchema(schema: Schema, context: Context): GetSchemaResponse {
  return {
    RegistryName: schema.registry,
    RegistryArn: registryArn(schema.registry, context),
    SchemaName: schema.name,
    SchemaArn: schemaArn(schema, context),
    Description: schema.description,
    DataFormat: schema.format,
    Compatibility: schema.compatibility,
    SchemaCheckpoint: schema.checkpoint,
    LatestSchemaVersion: latestVersion(schema)?.number,
    NextSchemaVersion: nextNumber(schema),
    SchemaStatus: 'AVAILABLE',
    CreatedTime: schema.createdTime,
    UpdatedTime: schema.updatedTime,
  };
}
