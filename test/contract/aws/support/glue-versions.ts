import {
  type Compatibility,
  DeleteSchemaVersionsCommand,
  GetSchemaByDefinitionCommand,
  GetSchemaVersionCommand,
  ListSchemaVersionsCommand,
  PutSchemaVersionMetadataCommand,
  QuerySchemaVersionMetadataCommand,
  RemoveSchemaVersionMetadataCommand,
} from '@aws-sdk/client-glue';
import { expect } from 'chai';
import { amount, type Client, definition, id, newSchema, register, unit } from './glue-registry.ts';
import { refusalName, type Rule } from './peers.ts';

export function versions(rule: Rule, client: Client): void {
  rule('gives a version by its id, by its number and as the latest', async () => {
    const { SchemaId, versionId } = await newSchema(client());
    const second = await register(client(), SchemaId, definition(id, unit));
    expect(second).to.include({ VersionNumber: 2, Status: 'AVAILABLE' });
    const byId = await client().send(new GetSchemaVersionCommand({ SchemaVersionId: versionId }));
    expect(byId).to.include({ SchemaDefinition: definition(id), DataFormat: 'AVRO', Status: 'AVAILABLE' });
    const byNumber = await client().send(
      new GetSchemaVersionCommand({ SchemaId, SchemaVersionNumber: { VersionNumber: 1 } }),
    );
    expect(byNumber.SchemaVersionId).to.equal(versionId);
    const latest = await client().send(
      new GetSchemaVersionCommand({ SchemaId, SchemaVersionNumber: { LatestVersion: true } }),
    );
    expect(latest.SchemaVersionId).to.equal(second.SchemaVersionId);
  });

  rule('knows nothing of a version that is not there', async () => {
    const { SchemaId } = await newSchema(client());
    const byNumber = new GetSchemaVersionCommand({ SchemaId, SchemaVersionNumber: { VersionNumber: 9 } });
    expect(await refusalName(client().send(byNumber))).to.equal('EntityNotFoundException');
    const byId = new GetSchemaVersionCommand({ SchemaVersionId: '00000000-0000-0000-0000-000000000000' });
    expect(await refusalName(client().send(byId))).to.equal('EntityNotFoundException');
  });

  rule('finds a version by its definition, whatever its white space', async () => {
    const { SchemaId, versionId } = await newSchema(client());
    const find = (SchemaDefinition: string) =>
      client().send(new GetSchemaByDefinitionCommand({ SchemaId, SchemaDefinition }));
    const spaced = JSON.stringify(JSON.parse(definition(id)), undefined, 4);
    expect((await find(spaced)).SchemaVersionId).to.equal(versionId);
    expect(await refusalName(find(definition(id, unit)))).to.equal('EntityNotFoundException');
  });

  rule('gives the version that is there when a definition is registered again', async () => {
    const { SchemaId, versionId } = await newSchema(client());
    const again = await register(client(), SchemaId, definition(id));
    expect(again).to.include({ SchemaVersionId: versionId, VersionNumber: 1 });
  });

  rule('lists and deletes versions, but neither the first nor the checkpoint', async () => {
    const { SchemaId } = await newSchema(client(), { mode: 'NONE' });
    for (const field of [unit, amount]) await register(client(), SchemaId, definition(id, field));
    const remove = (Versions: string) =>
      client().send(new DeleteSchemaVersionsCommand({ SchemaId, Versions }));
    expect(await refusalName(remove('1'))).to.equal('ConflictException');
    const { SchemaVersionErrors = [] } = await remove('2-4');
    expect(SchemaVersionErrors.map((error) => error.VersionNumber)).to.deep.equal([4]);
    const { Schemas = [] } = await client().send(new ListSchemaVersionsCommand({ SchemaId }));
    expect(Schemas.map((version) => version.VersionNumber)).to.deep.equal([1]);
  });
}

/** Whether a mode lets the fields `before` become the fields `after`. */
const changes: readonly (readonly [string, readonly Compatibility[], string, string])[] = [
  ['a field with a default', ['BACKWARD', 'FORWARD', 'FULL', 'NONE'], definition(id), definition(id, unit)],
  ['a field without a default', ['FORWARD', 'NONE'], definition(id), definition(id, amount)],
  ['the loss of a field without a default', ['BACKWARD', 'NONE'], definition(id, amount), definition(id)],
];

export function modes(rule: Rule, client: Client): void {
  for (const [what, allowed, before, after] of changes) {
    for (const mode of ['BACKWARD', 'FORWARD', 'FULL', 'NONE'] as const) {
      const status = allowed.includes(mode) ? 'AVAILABLE' : 'FAILURE';
      rule(`registers ${what} as ${status} under ${mode}`, async () => {
        const { SchemaId } = await newSchema(client(), { mode, first: before });
        expect((await register(client(), SchemaId, after)).Status).to.equal(status);
      });
    }
  }

  rule('keeps a version that failed, but never as the latest', async () => {
    const { SchemaId, versionId } = await newSchema(client());
    const failed = await register(client(), SchemaId, definition(id, amount));
    const kept = await client().send(
      new GetSchemaVersionCommand({ SchemaVersionId: failed.SchemaVersionId }),
    );
    expect(kept).to.include({ Status: 'FAILURE', VersionNumber: 2 });
    const latest = await client().send(
      new GetSchemaVersionCommand({ SchemaId, SchemaVersionNumber: { LatestVersion: true } }),
    );
    expect(latest.SchemaVersionId).to.equal(versionId);
  });

  rule('compares with the latest version under BACKWARD, with every version under BACKWARD_ALL', async () => {
    const statuses: (string | undefined)[] = [];
    for (const mode of ['BACKWARD', 'BACKWARD_ALL'] as const) {
      const { SchemaId } = await newSchema(client(), { mode, first: definition(id) });
      await register(client(), SchemaId, definition(id, { name: 'amount', type: 'int', default: 0 }));
      statuses.push((await register(client(), SchemaId, definition(id, amount))).Status);
    }
    expect(statuses).to.deep.equal(['AVAILABLE', 'FAILURE']);
  });

  rule('takes no second version under DISABLED', async () => {
    const { SchemaId } = await newSchema(client(), { mode: 'DISABLED' });
    expect(await refusalName(register(client(), SchemaId, definition(id, unit)))).to.equal(
      'InvalidInputException',
    );
  });

  rule('takes any JSON schema, and refuses what is no JSON', async () => {
    const { SchemaId } = await newSchema(client(), {
      format: 'JSON',
      first: '{"type":"object","required":["a"]}',
    });
    expect((await register(client(), SchemaId, '{"type":"string"}')).Status).to.equal('AVAILABLE');
    expect(await refusalName(register(client(), SchemaId, '{'))).to.equal('InvalidInputException');
  });
}

export function metadata(rule: Rule, client: Client): void {
  rule('keeps keys and values of a version, several values of one key', async () => {
    const { versionId: SchemaVersionId } = await newSchema(client());
    const put = (MetadataKey: string, MetadataValue: string) =>
      client().send(
        new PutSchemaVersionMetadataCommand({
          SchemaVersionId,
          MetadataKeyValue: { MetadataKey, MetadataValue },
        }),
      );
    await put('owner', 'a');
    await put('owner', 'b');
    expect(await refusalName(put('owner', 'a'))).to.equal('AlreadyExistsException');
    const query = async () =>
      (await client().send(new QuerySchemaVersionMetadataCommand({ SchemaVersionId }))).MetadataInfoMap
        ?.owner;
    const both = await query();
    const values = [
      both?.MetadataValue,
      ...(both?.OtherMetadataValueList ?? []).map((other) => other.MetadataValue),
    ];
    expect(values).to.have.members(['a', 'b']);
    const MetadataKeyValue = { MetadataKey: 'owner', MetadataValue: 'b' };
    await client().send(new RemoveSchemaVersionMetadataCommand({ SchemaVersionId, MetadataKeyValue }));
    expect((await query())?.MetadataValue).to.equal('a');
  });

  rule('takes ten pairs and refuses an eleventh', async () => {
    const { versionId: SchemaVersionId } = await newSchema(client());
    const put = (at: number) => {
      const MetadataKeyValue = { MetadataKey: `k${at}`, MetadataValue: 'v' };
      return client().send(new PutSchemaVersionMetadataCommand({ SchemaVersionId, MetadataKeyValue }));
    };
    for (let at = 0; at < 10; at += 1) await put(at);
    expect(await refusalName(put(10))).to.equal('ResourceNumberLimitExceededException');
  });
}
