import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { Platform } from '../../local/platform.ts';

/** What came out of the platform, read without the code that wrote it. */
export interface Observed {
  readonly stored: Counts;
  readonly archived: Counts;
  readonly alerts: number;
  readonly windows: {
    readonly records: number;
    readonly windows: number;
    readonly sha256: string;
    readonly late: number;
  };
  /** Amounts of the HIGH_VALUE_PURCHASE events in the event store. */
  readonly highValueAmounts: readonly number[];
  readonly duplicates: number;
  readonly deadLetters: number;
}

export interface Counts {
  readonly records: number;
  readonly distinctIds: number;
  readonly byType: Readonly<Record<string, number>>;
}

const derivedType = 'HIGH_VALUE_PURCHASE';

interface Row {
  readonly id: string;
  readonly type: string;
}

export async function observe(platform: Platform): Promise<Observed> {
  const table = await scan(platform, 'events', 'event_id, #type, #data', {
    '#type': 'type',
    '#data': 'data',
  });
  const rows = table.map((item) => ({ id: String(item['event_id']), type: String(item['type']) }));
  const derived = table.filter((item) => item['type'] === derivedType);
  const status = (await getJson(platform, '/v1/status')) as Status;
  const outcome = (name: string): number =>
    status.consumers.reduce((sum, consumer) => sum + (consumer.outcomes[name]?.count ?? 0), 0);
  return {
    stored: countsOf(rows),
    archived: countsOf(await archiveRows(join(platform.dataDir, 's3', platform.names.lakeBucket, 'archive'))),
    alerts: (await scan(platform, 'alerts', 'time_id')).length,
    windows: await windows(platform),
    highValueAmounts: derived.map((item) =>
      Number((JSON.parse(String(item['data'])) as { amount: number | string }).amount),
    ),
    duplicates: outcome('duplicate'),
    deadLetters: (await scan(platform, 'dead-letters', 'consumer')).length,
  };
}

interface Status {
  readonly consumers: readonly { readonly outcomes: Readonly<Record<string, { readonly count: number }>> }[];
}

/** The derived events lie beside the file's own; only those are in its statistics. */
function countsOf(rows: readonly Row[]): Counts {
  const own = rows.filter((row) => row.type !== derivedType);
  const byType: Record<string, number> = {};
  for (const { type } of own) byType[type] = (byType[type] ?? 0) + 1;
  return { records: own.length, distinctIds: new Set(own.map((row) => row.id)).size, byType };
}

async function scan(
  platform: Platform,
  table: 'events' | 'alerts' | 'dead-letters',
  projection: string,
  names?: Record<string, string>,
): Promise<readonly Record<string, unknown>[]> {
  const client = new DynamoDBClient({
    endpoint: platform.endpoints.dynamodb,
    region: platform.names.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const documents = DynamoDBDocumentClient.from(client);
  const items: Record<string, unknown>[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(
      new ScanCommand({
        TableName: platform.names.table(table),
        ProjectionExpression: projection,
        ...(names ? { ExpressionAttributeNames: names } : {}),
        ConsistentRead: true,
        ...(start ? { ExclusiveStartKey: start } : {}),
      }),
    );
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  client.destroy();
  return items;
}

/** Every line of every object under `archive/`, as files on disk: that is what a user opens. */
async function archiveRows(folder: string): Promise<readonly Row[]> {
  const files = await readdir(folder, { recursive: true });
  const rows: Row[] = [];
  for (const file of files.filter((name) => name.endsWith('.json.gz'))) {
    const text = gunzipSync(await readFile(join(folder, file))).toString();
    for (const line of text.split('\n')) {
      if (line !== '') rows.push(JSON.parse(line) as Row);
    }
  }
  return rows;
}

interface WindowRow {
  readonly start: string;
  readonly group: string;
  readonly count: number;
  readonly late_count: number;
}

async function windows(platform: Platform): Promise<Observed['windows']> {
  const rows: WindowRow[] = [];
  let cursor: string | null = null;
  do {
    const next: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = (await getJson(platform, `/v1/windows?definition=by-type-5m&limit=1000${next}`)) as {
      readonly items: readonly WindowRow[];
      readonly next_cursor: string | null;
    };
    rows.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  const counted = rows.filter((row) => row.count > 0);
  const lines = counted
    .map((row) => Buffer.from(`${row.start}\t${row.group}\t${row.count}\n`))
    .sort((a, b) => Buffer.compare(a, b));
  return {
    records: counted.reduce((sum, row) => sum + row.count, 0),
    windows: new Set(counted.map((row) => row.start)).size,
    sha256: createHash('sha256').update(Buffer.concat(lines)).digest('hex'),
    late: rows.reduce((sum, row) => sum + row.late_count, 0),
  };
}

async function getJson(platform: Platform, path: string): Promise<unknown> {
  const response = await fetch(new URL(path, platform.queryUrl));
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
