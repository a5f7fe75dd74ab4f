import { GlueRegistry } from '@cdktf/provider-aws/lib/glue-registry/index.js';
import { GlueSchema } from '@cdktf/provider-aws/lib/glue-schema/index.js';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';
import type { EventSchema } from './schemas.ts';

export interface SchemaRegistryProps {
  readonly naming: Naming;
  /** What flow/schemas holds. */
  readonly schemas: readonly EventSchema[];
}

/** The Glue registry with the first version of every schema; the registry refuses a later one that breaks readers. */
export class SchemaRegistry extends Construct {
  readonly name: string;

  constructor(scope: Construct, props: SchemaRegistryProps) {
    super(scope, 'schema-registry');
    this.name = props.naming.name('events');
    const registry = pin(
      new GlueRegistry(this, 'registry', {
        registryName: this.name,
        description: 'Schemas of the events, from flow/schemas',
      }),
      'events',
    );
    for (const schema of props.schemas) {
      pin(
        new GlueSchema(this, schema.name, {
          registryArn: registry.arn,
          schemaName: schema.name,
          dataFormat: 'AVRO',
          compatibility: 'BACKWARD',
          schemaDefinition: schema.definition,
        }),
        schema.name.replaceAll(/[^A-Za-z0-9_]/g, '_'),
      );
    }
  }
}
