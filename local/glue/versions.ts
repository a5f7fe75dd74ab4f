import type {
  CheckSchemaVersionValidityInput,
  CheckSchemaVersionValidityResponse,
  DeleteSchemaVersionsInput,
  DeleteSchemaVersionsResponse,
  GetSchemaByDefinitionInput,
  GetSchemaByDefinitionResponse,
  GetSchemaVersionInput,
  GetSchemaVersionResponse,
  ListSchemaVersionsInput,
  ListSchemaVersionsResponse,
  RegisterSchemaVersionInput,
  RegisterSchemaVersionResponse,
  SchemaVersionNumber,
} from '@aws-sdk/client-glue';
import { checkDefinition, definitionProblem, isCompatible, sameDefinition } from './definitions.ts';
import { GlueError } from './errors.ts';
import {
  type Context,
  findSchema,
  latestVersion,
  nextNumber,
  type Outcome,
  page,
  type Schema,
  schemaArn,
  type State,
  type Version,
  withSchema,
} from './state.ts';

/** The same definition again gives the version that has it; an incompatible one is kept with status FAILURE. */
export function registerSchemaVersion(
  state: State,
  input: RegisterSchemaVersionInput,
  context: Context,
): Outcome<RegisterSchemaVersionResponse> {
  const schema = findSchema(state, input.SchemaId);
  const definition = checkDefinition(schema.format, input.SchemaDefinition);
  const existing = schema.versions.find((version) => sameDefinition(version.definition, definition));
  if (existing !== undefined) return { answer: registered(existing) };
  if (schema.compatibility === 'DISABLED') {
    const message = `Compatibility DISABLED does not allow versioning. SchemaName: ${schema.name}`;
    throw new GlueError('InvalidInputException', message);
  }
  const version: Version = {
    number: nextNumber(schema),
    id: context.newId(),
    definition,
    status: isCompatible(schema, definition) ? 'AVAILABLE' : 'FAILURE',
    createdTime: context.now,
    metadata: [],
  };
  const updated = { ...schema, versions: [...schema.versions, version], updatedTime: context.now };
  return { answer: registered(version), state: withSchema(state, updated) };
}

function registered(version: Version): RegisterSchemaVersionResponse {
  return { SchemaVersionId: version.id, VersionNumber: version.number, Status: version.status };
}

export function getSchemaVersion(
  state: State,
  input: GetSchemaVersionInput,
  context: Context,
): Outcome<GetSchemaVersionResponse> {
  const { schema, version } = locateVersion(state, input);
  const answer = {
    ...listed(schema, version, context),
    SchemaDefinition: version.definition,
    DataFormat: schema.format,
  };
  return { answer };
}

export function getSchemaByDefinition(
  state: State,
  input: GetSchemaByDefinitionInput,
  context: Context,
): Outcome<GetSchemaByDefinitionResponse> {
  const schema = findSchema(state, input.SchemaId);
  const definition = checkDefinition(schema.format, input.SchemaDefinition);
  const found = schema.versions.find((version) => sameDefinition(version.definition, definition));
  if (found === undefined) {
    throw new GlueError(
      'EntityNotFoundException',
      `Schema is not found: ${schema.name} has no version of that definition.`,
    );
  }
  const { VersionNumber: _, ...version } = listed(schema, found, context);
  return { answer: { ...version, DataFormat: schema.format } };
}

export function listSchemaVersions(
  state: State,
  input: ListSchemaVersionsInput,
  context: Context,
): Outcome<ListSchemaVersionsResponse> {
  const schema = findSchema(state, input.SchemaId);
  const { items, ...next } = page(schema.versions, input);
  return { answer: { Schemas: items.map((version) => listed(schema, version, context)), ...next } };
}

/** The first version and a checkpoint stay; numbers without a version are reported one by one. */
export function deleteSchemaVersions(
  state: State,
  input: DeleteSchemaVersionsInput,
  _context: Context,
): Outcome<DeleteSchemaVersionsResponse> {
  const schema = findSchema(state, input.SchemaId);
  const numbers = versionRange(input.Versions);
  if (numbers.includes(schema.checkpoint)) {
    throw new GlueError(
      'ConflictException',
      `Version ${schema.checkpoint} is the checkpoint and cannot be deleted.`,
    );
  }
  const first = schema.versions[0]?.number;
  const deletable = new Set(
    schema.versions.map((version) => version.number).filter((number) => number !== first),
  );
  const errors = numbers
    .filter((number) => !deletable.has(number))
    .map((number) => ({
      VersionNumber: number,
      ErrorDetails:
        number === first
          ? {
              ErrorCode: 'InvalidInputException',
              ErrorMessage: 'The first version goes with its schema only.',
            }
          : { ErrorCode: 'EntityNotFoundException', ErrorMessage: 'Schema version is not found.' },
    }));
  const versions = schema.versions.filter(
    (version) => !numbers.includes(version.number) || !deletable.has(version.number),
  );
  return { answer: { SchemaVersionErrors: errors }, state: withSchema(state, { ...schema, versions }) };
}

/** Versions of one call (Glue quotas: 1,000 versions per schema). */
const rangeMax = 1_000;

/** `3` or `5-8`. */
function versionRange(text: string | undefined): readonly number[] {
  const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text?.trim() ?? '');
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match === null || from < 1 || to < from || to - from >= rangeMax) {
    throw new GlueError(
      'InvalidInputException',
      `Versions "${text ?? ''}" is not a number or a range like 5-8.`,
    );
  }
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

export function checkSchemaVersionValidity(
  _state: State,
  input: CheckSchemaVersionValidityInput,
  _context: Context,
): Outcome<CheckSchemaVersionValidityResponse> {
  const problem = definitionProblem(input.DataFormat, input.SchemaDefinition);
  return { answer: problem === undefined ? { Valid: true } : { Valid: false, Error: problem } };
}

/** A version by its id alone, or by its schema and number. */
export interface VersionInput {
  readonly SchemaId?: GetSchemaVersionInput['SchemaId'];
  readonly SchemaVersionId?: string | undefined;
  readonly SchemaVersionNumber?: SchemaVersionNumber | undefined;
}

export interface Located {
  readonly schema: Schema;
  readonly version: Version;
}

/** @throws GlueError EntityNotFoundException, InvalidInputException */
export function locateVersion(state: State, input: VersionInput): Located {
  const id = input.SchemaVersionId;
  if (id === undefined) {
    const schema = findSchema(state, input.SchemaId);
    if (input.SchemaVersionNumber === undefined) {
      throw new GlueError('InvalidInputException', 'Give SchemaVersionNumber or SchemaVersionId.');
    }
    return { schema, version: findVersion(schema, input.SchemaVersionNumber) };
  }
  if (input.SchemaId !== undefined || input.SchemaVersionNumber !== undefined) {
    const message = 'No other input parameters can be specified when fetching by SchemaVersionId.';
    throw new GlueError('InvalidInputException', message);
  }
  for (const schema of Object.values(state.registries).flatMap((registry) =>
    Object.values(registry.schemas),
  )) {
    const version = schema.versions.find((candidate) => candidate.id === id);
    if (version !== undefined) return { schema, version };
  }
  throw new GlueError('EntityNotFoundException', `Schema version is not found. SchemaVersionId: ${id}`);
}

/** @throws GlueError EntityNotFoundException, InvalidInputException */
export function findVersion(schema: Schema, wanted: SchemaVersionNumber): Version {
  const { LatestVersion: isLatest = false, VersionNumber: number } = wanted;
  if (isLatest === (number !== undefined)) {
    throw new GlueError('InvalidInputException', 'Give LatestVersion or VersionNumber, not both.');
  }
  const found = isLatest
    ? latestVersion(schema)
    : schema.versions.find((version) => version.number === number);
  if (found !== undefined) return found;
  const message = `Schema version is not found. SchemaName: ${schema.name}, VersionNumber: ${number ?? 'latest'}`;
  throw new GlueError('EntityNotFoundException', message);
}

function listed(schema: Schema, version: Version, context: Context) {
  return {
    SchemaArn: schemaArn(schema, context),
    SchemaVersionId: version.id,
    VersionNumber: version.number,
    Status: version.status,
    CreatedTime: version.createdTime,
  };
}
