import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Config } from '../runtime/config.ts';
import type { Clock } from '../runtime/clock.ts';
import type { workerSettings } from '../runtime/service.ts';
import { createDeadLetterTable, type DeadLetterTable } from './dead-letters.ts';
import { createLedgerTable, type LedgerTable } from './ledger.ts';
import { createS3Objects, type Objects } from './objects.ts';

/** What every worker keeps things in. */
export interface Stores {
  readonly dynamodb: DynamoDBClient;
  /** The same connections, for plain values. */
  readonly client: DynamoDBDocumentClient;
  readonly objects: Objects;
  readonly deadLetters: DeadLetterTable;
  readonly ledger: LedgerTable;
  readonly clock: Clock;
}

/** Endpoints and credentials are the SDK's affair: its environment variables, or the task's role. */
export function openStores({
  config,
  clock,
}: {
  readonly config: Config<typeof workerSettings>;
  readonly clock: Clock;
}): Stores {
  const region = config.AWS_REGION;
  const dynamodb = new DynamoDBClient({ region });
  const client = DynamoDBDocumentClient.from(dynamodb);
  const objects = createS3Objects(new S3Client({ region }), config.LAKE_BUCKET);
  return {
    dynamodb,
    client,
    objects,
    deadLetters: createDeadLetterTable({ client, table: config.DEAD_LETTERS_TABLE, lake: objects, clock }),
    ledger: createLedgerTable(client, config.LEDGER_TABLE),
    clock,
  };
}
