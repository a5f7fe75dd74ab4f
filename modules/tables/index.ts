import { DynamodbTable } from '@cdktf/provider-aws/lib/dynamodb-table/index.js';
import { Token } from 'cdktf';
import { Construct } from 'constructs';
import { assert } from '../../lib/runtime/errors.ts';
import type { IndexDefinition, TableDefinition, TableName } from '../../lib/stores/tables.ts';
import { tables } from '../../lib/stores/tables.ts';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';

export interface TablesProps {
  readonly naming: Naming;
  /** The key that items are encrypted with. */
  readonly keyArn: string;
}

/** Every table of lib/stores/tables.ts, with the keys and indexes given there. */
export class Tables extends Construct {
  readonly #naming: Naming;
  readonly #tables = new Map<TableName, DynamodbTable>();

  constructor(scope: Construct, props: TablesProps) {
    super(scope, 'tables');
    this.#naming = props.naming;
    for (const [name, definition] of Object.entries(tables) as [TableName, TableDefinition][]) {
      this.#table(name, definition, props);
    }
  }

  name(table: TableName): string {
    return this.#naming.name(table);
  }

  arn(table: TableName): string {
    return this.#naming.arn('dynamodb', `table/${this.name(table)}`);
  }

  /** The resource itself, for what must wait until the table is there. */
  resource(table: TableName): DynamodbTable {
    const found = this.#tables.get(table);
    assert(found, `table ${table} is not deployed`);
    return found;
  }

  #table(name: TableName, definition: TableDefinition, props: TablesProps): void {
    const exception = `lookup(var.tables, "${name}", { ttl = true, point_in_time_recovery = null })`;
    const table = new DynamodbTable(this, name, {
      name: this.name(name),
      billingMode: 'PAY_PER_REQUEST',
      hashKey: definition.hash,
      ...(definition.range ? { rangeKey: definition.range } : {}),
      attribute: Object.entries(definition.keys).map(([key, type]) => ({ name: key, type })),
      globalSecondaryIndex: definition.indexes.map((index) => ({
        name: index.name,
        hashKey: index.hash,
        ...(index.range ? { rangeKey: index.range } : {}),
        ...projectionOf(index),
      })),
      ...(definition.ttl
        ? { ttl: { attributeName: definition.ttl, enabled: Token.asAny(`\${${exception}.ttl}`) } }
        : {}),
      pointInTimeRecovery: {
        enabled: Token.asAny(
          `\${coalesce(${exception}.point_in_time_recovery, ${definition.pointInTimeRecovery})}`,
        ),
      },
      serverSideEncryption: { enabled: true, kmsKeyArn: props.keyArn },
      deletionProtectionEnabled: Token.asAny('${var.deletion_protection}'),
      tags: { What: definition.what },
    });
    this.#tables.set(name, pin(table, name.replaceAll('-', '_')));
  }
}

function projectionOf({ projection }: IndexDefinition) {
  return typeof projection === 'string'
    ? { projectionType: projection }
    : { projectionType: 'INCLUDE', nonKeyAttributes: [...projection.include] };
}
