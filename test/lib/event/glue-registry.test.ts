import { GlueClient } from '@aws-sdk/client-glue';
import { expect } from 'chai';
import { createGlueRegistry } from '../../../lib/event/glue-registry.ts';
import { PlatformError } from '../../../lib/runtime/errors.ts';

/** A client whose answers are given: what it was asked is recorded, nothing goes over a wire. */
function answering(answer: () => Promise<object>): { glue: GlueClient; asked: object[] } {
  const asked: object[] = [];
  const glue = new GlueClient({ region: 'eu-central-1' });
  glue.middlewareStack.add(
    (_next, context) => async (args) => {
      asked.push({ command: context.commandName, input: args.input });
      return { output: { $metadata: {}, ...(await answer()) }, response: {} };
    },
    { step: 'initialize', priority: 'high' },
  );
  return { glue, asked };
}

const named = (name: string): Error => Object.assign(new Error(`${name} from the service`), { name });

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    return `resolved: ${String(await work)}`;
  } catch (error) {
    return error instanceof PlatformError ? `${error.code} ${error.retryable}` : String(error);
  }
}

describe('createGlueRegistry', () => {
  it('asks for the id of a definition under its registry and name', async () => {
    const { glue, asked } = answering(() => Promise.resolve({ SchemaVersionId: 'v1', Status: 'AVAILABLE' }));
    expect(await createGlueRegistry(glue, 'weir-dev').idOf('event', '{}')).to.equal('v1');
    expect(asked).to.deep.equal([
      {
        command: 'GetSchemaByDefinitionCommand',
        input: { SchemaId: { RegistryName: 'weir-dev', SchemaName: 'event' }, SchemaDefinition: '{}' },
      },
    ]);
  });

  it('asks for the definition of a version by its id alone', async () => {
    const { glue, asked } = answering(() => Promise.resolve({ SchemaDefinition: '{}' }));
    expect(await createGlueRegistry(glue, 'weir-dev').definitionOf('v1')).to.equal('{}');
    expect(asked).to.deep.equal([{ command: 'GetSchemaVersionCommand', input: { SchemaVersionId: 'v1' } }]);
  });

  it('tells a schema that is not there from a registry that cannot be asked', async () => {
    const missing = createGlueRegistry(
      answering(() => Promise.reject(named('EntityNotFoundException'))).glue,
      'r',
    );
    expect(await codeOf(missing.idOf('event', '{}'))).to.equal('schema-not-registered false');
    expect(await codeOf(missing.definitionOf('v1'))).to.equal('schema-unknown false');
    const down = createGlueRegistry(answering(() => Promise.reject(named('ThrottlingException'))).glue, 'r');
    expect(await codeOf(down.idOf('event', '{}'))).to.equal('schema-registry-unavailable true');
    expect(await codeOf(down.definitionOf('v1'))).to.equal('schema-registry-unavailable true');
  });

  it('does not use a version that failed its compatibility check', async () => {
    const failed = answering(() => Promise.resolve({ SchemaVersionId: 'v1', Status: 'FAILURE' })).glue;
    expect(await codeOf(createGlueRegistry(failed, 'r').idOf('event', '{}'))).to.equal(
      'schema-not-registered false',
    );
  });
});
