import {
  CreateTableCommand,
  type CreateTableInput,
  DescribeTableCommand,
  type DynamoDBClient,
  type Projection,
} from '@aws-sdk/client-dynamodb';
import { type IndexDefinition, type TableDefinition, tableNames, tables } from '../../lib/stores/tables.ts';
import type { PlatformNames } from '../../services/catalogue.ts';
import { type Step, unlessThere, untilActive } from './steps.ts';

/** Every table of the platform. Expiry is not set: dynalite has no UpdateTimeToLive and removes nothing. */
export function tableSteps(
  client: DynamoDBClient,
  names: PlatformNames,
  signal: AbortSignal,
): readonly Step[] {
  return tableNames.map((name) => {
    const TableName = names.table(name);
    const create = async (): Promise<void> => {
      const command = new CreateTableCommand(tableInput(TableName, tables[name]));
      await unlessThere('ResourceInUseException', client.send(command, { abortSignal: signal }));
      await untilActive(async () => {
        const described = await client.send(new DescribeTableCommand({ TableName }), { abortSignal: signal });
        return described.Table?.TableStatus;
      }, signal);
    };
    return { what: `table ${TableName}`, done: create() };
  });
}

/** A table of the platform as CreateTable wants it, on demand. */
export function tableInput(TableName: string, definition: TableDefinition): CreateTableInput {
  const keySchema = (key: { readonly hash: string; readonly range?: string }) => [
    { AttributeName: key.hash, KeyType: 'HASH' as const },
    ...(key.range === undefined ? [] : [{ AttributeName: key.range, KeyType: 'RANGE' as const }]),
  ];
  const indexes = definition.indexes.map((index) => ({
    IndexName: index.name,
    KeySchema: keySchema(index),
    Projection: projectionOf(index),
  }));
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keySchema(definition),
    AttributeDefinitions: Object.entries(definition.keys).map(([AttributeName, AttributeType]) => ({
      AttributeName,
      AttributeType,
    })),
    ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexes: indexes }),
  };
}

function projectionOf({ projection }: IndexDefinition): Projection {
  return typeof projection === 'string'
    ? { ProjectionType: projection }
    : { ProjectionType: 'INCLUDE', NonKeyAttributes: [...projection.include] };
}
