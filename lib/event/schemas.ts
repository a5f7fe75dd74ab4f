import { randomUUID } from 'node:crypto';
import { PlatformError } from '../runtime/errors.ts';

/** The two questions that we ask of a schema registry. */
export interface SchemaRegistry {
  /**
   * The version id (UUID) of a definition that is registered under `schemaName`. Throws `schema-not-
   * registered` if none is.
   */
  readonly idOf: (schemaName: string, definition: string) => Promise<string>;
  /**
   * The definition of a version. Throws `schema-unknown` if the registry does not know the id, and anything
   * retryable if it could not be asked.
   */
  readonly definitionOf: (id: string) => Promise<string>;
}

/** For tests: what is asked for is registered at once. */
export function createMemoryRegistry(newId: () => string = randomUUID): SchemaRegistry {
  const ids = new Map<string, string>();
  const definitions = new Map<string, string>();
  return {
    idOf: (schemaName, definition) => {
      const key = `${schemaName}\n${definition}`;
      const id = ids.get(key) ?? newId();
      ids.set(key, id);
      definitions.set(id, definition);
      return Promise.resolve(id);
    },
    definitionOf: (id) => {
      const definition = definitions.get(id);
      return definition === undefined ? Promise.reject(schemaUnknown(id)) : Promise.resolve(definition);
    },
  };
}

export function schemaUnknown(id: string, cause?: unknown): PlatformError {
  return new PlatformError('schema-unknown', `The schema registry has no version ${id}`, { cause });
}
