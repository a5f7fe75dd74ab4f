import { GetSchemaByDefinitionCommand, GetSchemaVersionCommand, type GlueClient } from '@aws-sdk/client-glue';
import { messageOf, nameOf, PlatformError } from '../runtime/errors.ts';
import { type SchemaRegistry, schemaUnknown } from './schemas.ts';

/**
 * A registry of AWS Glue. Registering is the deployment's work: a service may read only
 * (glue:GetSchemaByDefinition and glue:GetSchemaVersion).
 */
export function createGlueRegistry(glue: GlueClient, registryName: string): SchemaRegistry {
  return {
    idOf: async (schemaName, definition) => {
      try {
        const found = await glue.send(
          new GetSchemaByDefinitionCommand({
            SchemaId: { RegistryName: registryName, SchemaName: schemaName },
            SchemaDefinition: definition,
          }),
        );
        if (found.SchemaVersionId !== undefined && found.Status === 'AVAILABLE') return found.SchemaVersionId;
      } catch (error) {
        if (nameOf(error) !== notFound) throw unreachable(`schema ${schemaName}`, registryName, error);
      }
      throw new PlatformError(
        'schema-not-registered',
        `Registry ${registryName} has no usable version of ${schemaName} as it is here: deploy flow/schemas`,
      );
    },
    definitionOf: async (id) => {
      try {
        const found = await glue.send(new GetSchemaVersionCommand({ SchemaVersionId: id }));
        if (found.SchemaDefinition !== undefined) return found.SchemaDefinition;
      } catch (error) {
        if (nameOf(error) !== notFound) throw unreachable(`version ${id}`, registryName, error);
      }
      throw schemaUnknown(id);
    },
  };
}

const notFound = 'EntityNotFoundException';

/**
 * Throttled, cut off, not allowed: nothing that the record is to blame for, so it must not become a dead
 * letter.
 */
function unreachable(what: string, registryName: string, cause: unknown): PlatformError {
  const message = `Registry ${registryName} could not be asked for ${what}: ${messageOf(cause)}`;
  return new PlatformError('schema-registry-unavailable', message, { retryable: true, cause });
}
