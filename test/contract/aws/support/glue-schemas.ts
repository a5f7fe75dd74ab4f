import {
  CheckSchemaVersionValidityCommand,
  CreateRegistryCommand,
  CreateSchemaCommand,
  DeleteRegistryCommand,
  DeleteSchemaCommand,
  GetRegistryCommand,
  GetSchemaCommand,
  ListRegistriesCommand,
  ListSchemasCommand,
  UpdateSchemaCommand,
} from '@aws-sdk/client-glue';
import { expect } from 'chai';
import { type Client, definition, id, newSchema, register, sharedRegistry, unit } from './glue-registry.ts';
import { contractRegion, refusal, refusalName, type Rule, uniqueName } from './peers.ts';

export function registries(rule: Rule, client: Client): void {
  rule('creates a registry, finds it by name and by ARN, lists it and deletes it', async () => {
    const RegistryName = uniqueName('registry');
    const created = await client().send(new CreateRegistryCommand({ RegistryName, Description: 'events' }));
    expect(created.RegistryArn).to.match(
      new RegExp(`^arn:aws:glue:${contractRegion}:\\d{12}:registry/${RegistryName}$`),
    );
    for (const RegistryId of [{ RegistryName }, { RegistryArn: created.RegistryArn }]) {
      const found = await client().send(new GetRegistryCommand({ RegistryId }));
      expect(found).to.include({ RegistryName, Description: 'events', Status: 'AVAILABLE' });
    }
    const { Registries = [] } = await client().send(new ListRegistriesCommand({}));
    expect(Registries.map((registry) => registry.RegistryName)).to.include(RegistryName);
    await client().send(new DeleteRegistryCommand({ RegistryId: { RegistryName } }));
    const gone = client().send(new GetRegistryCommand({ RegistryId: { RegistryName } }));
    expect(await refusalName(gone)).to.equal('EntityNotFoundException');
  });

  rule('refuses a second registry of one name, and a name that no registry may have', async () => {
    const RegistryName = await sharedRegistry(client());
    const again = client().send(new CreateRegistryCommand({ RegistryName }));
    expect(await refusal(again)).to.include({ name: 'AlreadyExistsException', status: 400 });
    const odd = client().send(new CreateRegistryCommand({ RegistryName: 'no blanks' }));
    expect(await refusalName(odd)).to.equal('InvalidInputException');
  });
}

export function schemas(rule: Rule, client: Client): void {
  rule('creates a schema with its first version', async () => {
    const { SchemaId, created } = await newSchema(client());
    expect(created).to.include({
      RegistryName: SchemaId.RegistryName,
      SchemaName: SchemaId.SchemaName,
      DataFormat: 'AVRO',
      Compatibility: 'BACKWARD',
      SchemaCheckpoint: 1,
      LatestSchemaVersion: 1,
      NextSchemaVersion: 2,
      SchemaStatus: 'AVAILABLE',
      SchemaVersionStatus: 'AVAILABLE',
    });
    expect(created.SchemaVersionId).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  rule('refuses a second schema of one name in a registry', async () => {
    const { SchemaId } = await newSchema(client());
    const again = new CreateSchemaCommand({
      RegistryId: { RegistryName: SchemaId.RegistryName },
      SchemaName: SchemaId.SchemaName,
      DataFormat: 'AVRO',
      Compatibility: 'NONE',
      SchemaDefinition: definition(id),
    });
    expect(await refusalName(client().send(again))).to.equal('AlreadyExistsException');
  });

  rule('describes a schema and its latest version', async () => {
    const { SchemaId } = await newSchema(client());
    await register(client(), SchemaId, definition(id, unit));
    const found = await client().send(new GetSchemaCommand({ SchemaId }));
    expect(found).to.include({ LatestSchemaVersion: 2, NextSchemaVersion: 3, SchemaCheckpoint: 1 });
    const byArn = await client().send(new GetSchemaCommand({ SchemaId: { SchemaArn: found.SchemaArn } }));
    expect(byArn.SchemaName).to.equal(SchemaId.SchemaName);
  });

  rule('knows nothing of a schema that is not there, or was deleted', async () => {
    const RegistryName = await sharedRegistry(client());
    const none = client().send(new GetSchemaCommand({ SchemaId: { RegistryName, SchemaName: 'none' } }));
    expect(await refusal(none)).to.include({ name: 'EntityNotFoundException', status: 400 });
    const { SchemaId } = await newSchema(client());
    await client().send(new DeleteSchemaCommand({ SchemaId }));
    const gone = client().send(new GetSchemaCommand({ SchemaId }));
    expect(await refusalName(gone)).to.equal('EntityNotFoundException');
  });

  rule('lists the schemas of a registry, page by page', async () => {
    const { SchemaId } = await newSchema(client());
    await newSchema(client());
    const RegistryId = { RegistryName: SchemaId.RegistryName };
    const names: (string | undefined)[] = [];
    let NextToken: string | undefined;
    do {
      const page = await client().send(new ListSchemasCommand({ RegistryId, MaxResults: 1, NextToken }));
      expect(page.Schemas).to.have.lengthOf.at.most(1);
      names.push(...(page.Schemas ?? []).map((schema) => schema.SchemaName));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(names).to.include(SchemaId.SchemaName);
    expect(new Set(names).size).to.equal(names.length);
  });

  rule('changes the compatibility mode together with the checkpoint', async () => {
    const { SchemaId } = await newSchema(client());
    const mode = { SchemaId, Compatibility: 'NONE' as const };
    expect(await refusalName(client().send(new UpdateSchemaCommand(mode)))).to.equal('InvalidInputException');
    await client().send(new UpdateSchemaCommand({ ...mode, SchemaVersionNumber: { LatestVersion: true } }));
    expect((await client().send(new GetSchemaCommand({ SchemaId }))).Compatibility).to.equal('NONE');
  });

  rule('tells a valid definition from one that is not', async () => {
    const check = (SchemaDefinition: string) =>
      client().send(new CheckSchemaVersionValidityCommand({ DataFormat: 'AVRO', SchemaDefinition }));
    expect((await check(definition(id))).Valid).to.equal(true);
    expect(
      (await check('{"type":"record","name":"x","fields":[{"name":"a","type":"nothing"}]}')).Valid,
    ).to.equal(false);
    expect((await check('{')).Valid).to.equal(false);
  });

  rule('refuses a definition that is no Avro schema', async () => {
    const made = newSchema(client(), { first: '{"type":"record","name":"x"}' });
    expect(await refusalName(made)).to.equal('InvalidInputException');
  });
}
