import type {
  MetadataInfo,
  MetadataKeyValuePair,
  PutSchemaVersionMetadataInput,
  PutSchemaVersionMetadataResponse,
  QuerySchemaVersionMetadataInput,
  QuerySchemaVersionMetadataResponse,
  RemoveSchemaVersionMetadataInput,
  RemoveSchemaVersionMetadataResponse,
} from '@aws-sdk/client-glue';
import { GlueError } from './errors.ts';
import {
  type Context,
  latestVersion,
  type Metadata,
  type Outcome,
  page,
  schemaArn,
  type State,
  type Version,
  withSchema,
} from './state.ts';
import { type Located, locateVersion } from './versions.ts';

/** Pairs of one version (Glue quotas). */
const pairsMax = 10;
const metadataText = /^[a-zA-Z0-9+=._/@-]{1,128}$/;

export function putSchemaVersionMetadata(
  state: State,
  input: PutSchemaVersionMetadataInput,
  context: Context,
): Outcome<PutSchemaVersionMetadataResponse> {
  const located = locateVersion(state, input);
  const { version } = located;
  const { key, value } = pair(input.MetadataKeyValue);
  if (find(version, key, value) !== undefined) {
    const message = `Resource already exist for schema version id: ${version.id}, metadata key: ${key}, metadata value: ${value}`;
    throw new GlueError('AlreadyExistsException', message);
  }
  if (version.metadata.length >= pairsMax) {
    const message = 'Your resource limits for Schema Version Metadata have been exceeded.';
    throw new GlueError('ResourceNumberLimitExceededException', message);
  }
  const metadata = [...version.metadata, { key, value, createdTime: context.now }];
  return { answer: described(located, key, value, context), state: replaced(state, located, metadata) };
}

export function removeSchemaVersionMetadata(
  state: State,
  input: RemoveSchemaVersionMetadataInput,
  context: Context,
): Outcome<RemoveSchemaVersionMetadataResponse> {
  const located = locateVersion(state, input);
  const { key, value } = pair(input.MetadataKeyValue);
  const found = find(located.version, key, value);
  if (found === undefined) {
    throw new GlueError(
      'EntityNotFoundException',
      `Metadata is not found. MetadataKey: ${key}, MetadataValue: ${value}`,
    );
  }
  const metadata = located.version.metadata.filter((candidate) => candidate !== found);
  return { answer: described(located, key, value, context), state: replaced(state, located, metadata) };
}

/** A key's last value comes first, its earlier ones in OtherMetadataValueList. */
export function querySchemaVersionMetadata(
  state: State,
  input: QuerySchemaVersionMetadataInput,
  _context: Context,
): Outcome<QuerySchemaVersionMetadataResponse> {
  const { version } = locateVersion(state, input);
  const wanted =
    input.MetadataList?.map(({ MetadataKey, MetadataValue }) => ({ MetadataKey, MetadataValue })) ?? [];
  const chosen = version.metadata.filter(
    ({ key, value }) =>
      wanted.length === 0 ||
      wanted.some((want) => (want.MetadataKey ?? key) === key && (want.MetadataValue ?? value) === value),
  );
  const { items, ...next } = page(chosen, { ...input, MaxResults: input.MaxResults ?? pairsMax });
  const byKey = new Map<string, MetadataInfo>();
  for (const { key, value, createdTime } of items) {
    const before = byKey.get(key);
    const others = before === undefined ? [] : [...(before.OtherMetadataValueList ?? []), shown(before)];
    byKey.set(key, {
      MetadataValue: value,
      CreatedTime: createdTime,
      ...(others.length > 0 ? { OtherMetadataValueList: others } : {}),
    });
  }
  return { answer: { MetadataInfoMap: Object.fromEntries(byKey), SchemaVersionId: version.id, ...next } };
}

function shown({ MetadataValue, CreatedTime }: MetadataInfo) {
  return { MetadataValue, CreatedTime };
}

function pair(given: MetadataKeyValuePair | undefined): { readonly key: string; readonly value: string } {
  const { MetadataKey: key = '', MetadataValue: value = '' } = given ?? {};
  if (metadataText.test(key) && metadataText.test(value)) return { key, value };
  throw new GlueError(
    'InvalidInputException',
    'MetadataKey and MetadataValue must be 1 to 128 of a-z A-Z 0-9 + = . _ / @ -',
  );
}

function find(version: Version, key: string, value: string): Metadata | undefined {
  return version.metadata.find((candidate) => candidate.key === key && candidate.value === value);
}

function replaced(state: State, { schema, version }: Located, metadata: readonly Metadata[]): State {
  const versions = schema.versions.map((candidate) =>
    candidate === version ? { ...version, metadata } : candidate,
  );
  return withSchema(state, { ...schema, versions });
}

function described({ schema, version }: Located, key: string, value: string, context: Context) {
  return {
    SchemaArn: schemaArn(schema, context),
    SchemaName: schema.name,
    RegistryName: schema.registry,
    LatestVersion: latestVersion(schema) === version,
    VersionNumber: version.number,
    SchemaVersionId: version.id,
    MetadataKey: key,
    MetadataValue: value,
  };
}
