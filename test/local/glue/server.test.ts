import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateRegistryCommand,
  CreateSchemaCommand,
  GetSchemaCommand,
  GetSchemaVersionCommand,
  GetTablesCommand,
  GlueClient,
} from '@aws-sdk/client-glue';
import { expect } from 'chai';
import { startGlue } from '../../../local/glue/server.ts';
import type { StandIn } from '../../../local/listen.ts';
import { localAccountId, localRegion } from '../../../local/names.ts';

const definition = JSON.stringify({ type: 'record', name: 'R', fields: [] });

describe('the schema registry on loopback', () => {
  let dataDir: string;
  let glue: StandIn;
  let client: GlueClient;

  const start = async (): Promise<void> => {
    glue = await startGlue({
      host: '127.0.0.1',
      port: 0,
      region: localRegion,
      accountId: localAccountId,
      dataDir,
    });
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    client = new GlueClient({ region: localRegion, endpoint: glue.url, credentials, maxAttempts: 1 });
  };
  const stop = async (): Promise<void> => {
    client.destroy();
    await glue.close();
  };

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'weir-glue-'));
    await start();
  });

  afterEach(async () => {
    await stop();
    await rm(dataDir, { recursive: true });
  });

  const create = (SchemaName: string, RegistryName?: string) =>
    client.send(
      new CreateSchemaCommand({
        ...(RegistryName === undefined ? {} : { RegistryId: { RegistryName } }),
        SchemaName,
        DataFormat: 'AVRO',
        Compatibility: 'FULL',
        SchemaDefinition: definition,
      }),
    );

  const failureOf = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
      return 'none';
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : 'no error';
    }
  };

  it('keeps every schema over a restart, under the same version id', async () => {
    await client.send(new CreateRegistryCommand({ RegistryName: 'kept' }));
    const created = await Promise.all(['a', 'b', 'c'].map((name) => create(name, 'kept')));
    await stop();
    await start();
    for (const { SchemaVersionId, SchemaArn } of created) {
      const version = await client.send(new GetSchemaVersionCommand({ SchemaVersionId }));
      expect(version).to.include({ SchemaArn, SchemaDefinition: definition });
    }
  });

  it('makes the default registry with the first schema that names no registry', async () => {
    const { RegistryName } = await create('plain');
    expect(RegistryName).to.equal('default-registry');
    await create('second');
  });

  it('takes the name of a property of every object for a name like any other', async () => {
    await create('constructor');
    const SchemaId = { RegistryName: 'default-registry', SchemaName: '__proto__' };
    expect(await failureOf(client.send(new GetSchemaCommand({ SchemaId })))).to.match(
      /^EntityNotFoundException/,
    );
  });

  it('names an operation that it does not have', async () => {
    const tables = client.send(new GetTablesCommand({ DatabaseName: 'x' }));
    expect(await failureOf(tables)).to.equal('UnknownOperationException: GetTables is not implemented.');
  });

  it('refuses a body that is no JSON', async () => {
    const headers = { 'x-amz-target': 'AWSGlue.GetSchema' };
    const response = await fetch(glue.url, { method: 'POST', headers, body: '{' });
    expect(response.status).to.equal(400);
    expect(await response.json()).to.include({ __type: 'SerializationException' });
  });

  it('names the port when it is taken', async () => {
    const taken = startGlue({
      host: '127.0.0.1',
      port: glue.port,
      region: localRegion,
      accountId: localAccountId,
    });
    expect(await failureOf(taken)).to.include(`Port ${glue.port} on 127.0.0.1, wanted for Glue, is taken`);
  });
});
