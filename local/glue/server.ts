import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { messageOf } from '../../lib/runtime/errors.ts';
import { closeServer } from '../close-server.ts';
import { listen, type StandIn } from '../listen.ts';
import { GlueError } from './errors.ts';
import {
  putSchemaVersionMetadata,
  querySchemaVersionMetadata,
  removeSchemaVersionMetadata,
} from './metadata.ts';
import { createRegistry, deleteRegistry, getRegistry, listRegistries } from './registries.ts';
import { createSchema, deleteSchema, getSchema, listSchemas, updateSchema } from './schemas.ts';
import type { Context, Outcome, State } from './state.ts';
import { openStore } from './store.ts';
import {
  checkSchemaVersionValidity,
  deleteSchemaVersions,
  getSchemaByDefinition,
  getSchemaVersion,
  listSchemaVersions,
  registerSchemaVersion,
} from './versions.ts';

export interface GlueOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly region: string;
  readonly accountId: string;
  /** The registry is kept in `dataDir`/glue.json; absent: in memory. */
  readonly dataDir?: string;
}

/** Each takes the state, its input as the SDK types it, and the context. The input is what the client sent. */
const operations = {
  CreateRegistry: createRegistry,
  GetRegistry: getRegistry,
  ListRegistries: listRegistries,
  DeleteRegistry: deleteRegistry,
  CreateSchema: createSchema,
  GetSchema: getSchema,
  ListSchemas: listSchemas,
  UpdateSchema: updateSchema,
  DeleteSchema: deleteSchema,
  RegisterSchemaVersion: registerSchemaVersion,
  GetSchemaVersion: getSchemaVersion,
  GetSchemaByDefinition: getSchemaByDefinition,
  ListSchemaVersions: listSchemaVersions,
  DeleteSchemaVersions: deleteSchemaVersions,
  CheckSchemaVersionValidity: checkSchemaVersionValidity,
  PutSchemaVersionMetadata: putSchemaVersionMetadata,
  QuerySchemaVersionMetadata: querySchemaVersionMetadata,
  RemoveSchemaVersionMetadata: removeSchemaVersionMetadata,
} as const;

type Operation = (state: State, input: object, context: Context) => Outcome<object>;

/** A definition has at most 170,000 characters; nothing else here is large. */
const requestBytesMax = 2 * 1024 ** 2;

/**
 * The Schema Registry of AWS Glue, JSON 1.1 over HTTP. Avro versions are checked against the compatibility mode; JSON
 * schemas only for being JSON; PROTOBUF is refused. Signatures and permissions are not checked.
 * @throws PlatformError `port-in-use`
 */
export async function startGlue(options: GlueOptions): Promise<StandIn> {
  const store = await openStore(options.dataDir);
  const server = createServer((message, response) => {
    void serve(message, response, (name, input) => {
      const context = { ...options, now: new Date().toISOString(), newId: randomUUID };
      const outcome = findOperation(name)(store.state(), input, context);
      return store.keep(outcome);
    });
  });
  const port = await listen(server, { ...options, what: 'Glue' });
  return { url: `http://${options.host}:${port}`, port, close: () => closeServer(server) };
}

function findOperation(name: string): Operation {
  if (!Object.hasOwn(operations, name)) {
    throw new GlueError('UnknownOperationException', `${name} is not implemented.`);
  }
  return operations[name as keyof typeof operations] as Operation;
}

type Run = (name: string, input: object) => Promise<object>;

/** Never rejects: whatever goes wrong is an answer. */
async function serve(message: IncomingMessage, response: ServerResponse, run: Run): Promise<void> {
  response.setHeader('content-type', 'application/x-amz-json-1.1');
  response.setHeader('x-amzn-requestid', randomUUID());
  try {
    const target = String(message.headers['x-amz-target']);
    const input = await readInput(message);
    const answer = await run(target.replace(/^AWSGlue\./, ''), input);
    response.end(JSON.stringify(answer));
  } catch (error) {
    const known =
      error instanceof GlueError ? error : new GlueError('InternalServiceException', messageOf(error));
    response.statusCode = known.status;
    response.end(JSON.stringify({ __type: known.code, Message: known.message }));
  }
}

async function readInput(message: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > requestBytesMax) throw new GlueError('InvalidInputException', 'The request is too large.');
    chunks.push(chunk);
  }
  return parseInput(Buffer.concat(chunks).toString('utf8') || '{}');
}

function parseInput(text: string): object {
  try {
    const input: unknown = JSON.parse(text);
    if (typeof input === 'object' && input !== null) return input;
  } catch (error) {
    throw new GlueError('SerializationException', messageOf(error));
  }
  throw new GlueError('SerializationException', 'The request is not a JSON object.');
}
