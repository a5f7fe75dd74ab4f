import { GlueClient } from '@aws-sdk/client-glue';
import { startGlue } from '../../../local/glue/server.ts';
import { localAccountId } from '../../../local/names.ts';
import { metadata, modes, versions } from './support/glue-versions.ts';
import { registries, schemas } from './support/glue-schemas.ts';
import { contract, contractRegion, type Difference } from './support/peers.ts';

/** Moto compares no schemas: to it every version is AVAILABLE. */
const compared = [
  'registers a field without a default as FAILURE under BACKWARD',
  'registers a field without a default as FAILURE under FULL',
  'registers the loss of a field without a default as FAILURE under FORWARD',
  'registers the loss of a field without a default as FAILURE under FULL',
  'keeps a version that failed, but never as the latest',
  'compares with the latest version under BACKWARD, with every version under BACKWARD_ALL',
];

const differences: readonly Difference[] = [
  {
    peer: 'moto',
    rule: 'creates a registry, finds it by name and by ARN, lists it and deletes it',
    does: 'leaves out the Status',
    documented: 'GetRegistry returns Status (API reference)',
  },
  {
    peer: 'moto',
    rule: 'lists the schemas of a registry, page by page',
    does: 'has no ListSchemas',
    documented: 'ListSchemas (API reference)',
  },
  {
    peer: 'moto',
    rule: 'changes the compatibility mode together with the checkpoint',
    does: 'takes a mode without a version number',
    documented: 'if Compatibility is given, the version number is required too (API reference, UpdateSchema)',
  },
  {
    peer: 'moto',
    rule: 'tells a valid definition from one that is not',
    does: 'has no CheckSchemaVersionValidity',
    documented: 'CheckSchemaVersionValidity (API reference)',
  },
  {
    peer: 'moto',
    rule: 'refuses a definition that is no Avro schema',
    does: 'only checks that it is JSON',
    documented: 'a definition is validated in its data format (API reference, CreateSchema)',
  },
  {
    peer: 'moto',
    rule: 'finds a version by its definition, whatever its white space',
    does: 'compares texts',
    documented: 'the definition is canonicalized and hashed (API reference, GetSchemaByDefinition)',
  },
  {
    peer: 'moto',
    rule: 'lists and deletes versions, but neither the first nor the checkpoint',
    does: 'has no DeleteSchemaVersions',
    documented: 'DeleteSchemaVersions (API reference)',
  },
  {
    peer: 'moto',
    rule: 'keeps keys and values of a version, several values of one key',
    does: 'can only put them',
    documented: 'QuerySchemaVersionMetadata and RemoveSchemaVersionMetadata (API reference)',
  },
  ...compared.map((rule) => ({
    peer: 'moto' as const,
    rule,
    does: 'compares no schemas',
    documented:
      'the mode decides whether a version is accepted (developer guide, "Schema versioning and compatibility")',
  })),
];

contract({
  service: 'Glue Schema Registry',
  ours: () => startGlue({ host: '127.0.0.1', port: 0, region: contractRegion, accountId: localAccountId }),
  connect: (config) => new GlueClient(config),
  differences,
  rules: (rule, client) => {
    registries(rule, client);
    schemas(rule, client);
    versions(rule, client);
    modes(rule, client);
    metadata(rule, client);
  },
});
