import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  CreateRegistryCommand,
  CreateSchemaCommand,
  type GlueClient,
  RegisterSchemaVersionCommand,
} from '@aws-sdk/client-glue';
import { PlatformError } from '../../lib/runtime/errors.ts';
import { unlessThere } from './steps.ts';

/** The registry, with every schema of the folder. */
export async function createRegistry(
  client: GlueClient,
  RegistryName: string,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const create = client.send(new CreateRegistryCommand({ RegistryName }), { abortSignal: signal });
  await unlessThere('AlreadyExistsException', create);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.avsc'));
  await Promise.all(files.map((file) => registerSchema(client, RegistryName, join(folder, file), signal)));
}

/** The schema's name is the file's, without `.avsc`. A changed file becomes the next version, if it is compatible. */
async function registerSchema(
  client: GlueClient,
  RegistryName: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const SchemaName = basename(file, '.avsc');
  const SchemaDefinition = await readFile(file, 'utf8');
  const create = new CreateSchemaCommand({
    RegistryId: { RegistryName },
    SchemaName,
    DataFormat: 'AVRO',
    Compatibility: 'BACKWARD',
    SchemaDefinition,
  });
  if (await unlessThere('AlreadyExistsException', client.send(create, { abortSignal: signal }))) return;
  const SchemaId = { RegistryName, SchemaName };
  const register = new RegisterSchemaVersionCommand({ SchemaId, SchemaDefinition });
  const { Status, VersionNumber } = await client.send(register, { abortSignal: signal });
  if (Status === 'FAILURE') {
    const message = `${file} cannot read what its earlier versions wrote (version ${VersionNumber} was refused): give new fields a default, or start with new data`;
    throw new PlatformError('schema-incompatible', message);
  }
}
