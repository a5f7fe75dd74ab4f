import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import dynalite from 'dynalite';
import { closeServer } from './close-server.ts';
import { listen, type StandIn } from './listen.ts';

export interface DynamoDbOptions {
  readonly host: string;
  readonly port: number;
  /** Tables are kept in `dataDir`/dynamodb; absent: in memory. */
  readonly dataDir?: string;
}

/**
 * DynamoDB by dynalite: conditional writes to single items, expressions, indexes that are created with their table.
 * It has no transactions and no items on a failed condition, and it never removes expired items.
 * @throws PlatformError `port-in-use`
 */
export async function startDynamoDb(options: DynamoDbOptions): Promise<StandIn> {
  const path = options.dataDir === undefined ? {} : { path: join(options.dataDir, 'dynamodb') };
  if (path.path !== undefined) await mkdir(path.path, { recursive: true });
  const server = dynalite({ createTableMs: 0, updateTableMs: 0, deleteTableMs: 0, ...path });
  // Dynalite throws from the `error` event of a request, so a client killed in mid-request would end this process.
  // Without a listener Node only drops the connection.
  server.on('request', (request) => request.removeAllListeners('error'));
  const port = await listen(server, { ...options, what: 'DynamoDB' });
  return { url: `http://${options.host}:${port}`, port, close: () => closeServer(server) };
}
