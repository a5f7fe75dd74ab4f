import {
  type Compatibility,
  CreateRegistryCommand,
  CreateSchemaCommand,
  type DataFormat,
  type GlueClient,
  RegisterSchemaVersionCommand,
  type SchemaId,
} from '@aws-sdk/client-glue';
import { uniqueName } from './peers.ts';

export type Client = () => GlueClient;

export interface FieldJson {
  readonly name: string;
  readonly type: unknown;
  readonly default?: unknown;
}

export const id: FieldJson = { name: 'id', type: 'string' };
/** A field that old data lacks and new readers can do without. */
export const unit: FieldJson = { name: 'unit', type: 'string', default: '' };
/** A field that no reader can do without. */
export const amount: FieldJson = { name: 'amount', type: 'int' };

export function definition(...fields: readonly FieldJson[]): string {
  return JSON.stringify({ type: 'record', name: 'Reading', namespace: 'weir', fields });
}

let registry: { readonly client: GlueClient; readonly name: Promise<string> } | undefined;

/** One registry for all rules of a peer: an account has ten at most. */
export function sharedRegistry(client: GlueClient): Promise<string> {
  if (registry?.client !== client) registry = { client, name: newRegistry(client) };
  return registry.name;
}

async function newRegistry(client: GlueClient): Promise<string> {
  const RegistryName = uniqueName('registry');
  await client.send(new CreateRegistryCommand({ RegistryName }));
  return RegistryName;
}

export interface NewSchema {
  readonly mode?: Compatibility;
  readonly format?: DataFormat;
  readonly first?: string;
}

export async function newSchema(client: GlueClient, options: NewSchema = {}) {
  const RegistryName = await sharedRegistry(client);
  const SchemaName = uniqueName('schema');
  const created = await client.send(
    new CreateSchemaCommand({
      RegistryId: { RegistryName },
      SchemaName,
      DataFormat: options.format ?? 'AVRO',
      Compatibility: options.mode ?? 'BACKWARD',
      SchemaDefinition: options.first ?? definition(id),
    }),
  );
  const SchemaId: SchemaId = { RegistryName, SchemaName };
  return { SchemaId, versionId: created.SchemaVersionId ?? '', created };
}

export function register(client: GlueClient, SchemaId: SchemaId, SchemaDefinition: string) {
  return client.send(new RegisterSchemaVersionCommand({ SchemaId, SchemaDefinition }));
}
