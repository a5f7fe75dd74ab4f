import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { closeServer } from '../../local/close-server.ts';
import { listen, type StandIn } from '../../local/listen.ts';

/** An item in DynamoDB's JSON: `{ leaseKey: { S: 'shardId-…' }, leaseCounter: { N: '4' }, … }`. */
export type WireItem = Readonly<
  Record<string, { readonly S?: string; readonly N?: string; readonly SS?: string[] }>
>;

/** One write that DynamoDB has accepted. `item` is undefined after a delete, `before` where it was not there. */
export interface Write {
  readonly at: number;
  readonly writer: string;
  readonly leaseKey: string;
  readonly before: WireItem | undefined;
  readonly item: WireItem | undefined;
}

/** A lease table's whole history. */
export interface LeaseLog {
  readonly writes: readonly Write[];
  readonly items: ReadonlyMap<string, WireItem>;
  /** An endpoint of DynamoDB of its own for each worker, so that each write is known to be its. */
  readonly openFor: (worker: string) => Promise<StandIn>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

interface Asked {
  readonly verb: string;
  readonly body: { TableName?: string; Key?: WireItem; Item?: WireItem; ReturnValues?: string };
}

const verbs = new Set(['PutItem', 'UpdateItem', 'DeleteItem']);

/** A server between workers and `target` that keeps what happens to `table`. */
export function createLeaseLog(target: string, table: string): LeaseLog {
  const writes: Write[] = [];
  const items = new Map<string, WireItem>();
  const agent = new Agent({ keepAlive: true });
  // One write at a time, so that the order of the answers is the order of the writes.
  let line: Promise<unknown> = Promise.resolve();
  const record = (writer: string, asked: Asked, body: Buffer): void => {
    const leaseKey = (asked.body.Key ?? asked.body.Item)?.leaseKey?.S;
    if (leaseKey === undefined) return;
    const item = itemAfter(asked, body);
    writes.push({ at: Date.now(), writer, leaseKey, before: items.get(leaseKey), item });
    if (item === undefined) items.delete(leaseKey);
    else items.set(leaseKey, item);
  };
  const answer = async (writer: string, incoming: IncomingMessage): Promise<Answer> => {
    const body = await bodyOf(incoming);
    const asked = writeOf(incoming, body, table);
    if (asked === undefined) return forward(target, incoming, body, agent);
    const write = line.then(async () => {
      const reply = await forward(target, incoming, Buffer.from(JSON.stringify(asked.body)), agent);
      if (reply.status === 200) record(writer, asked, reply.body);
      return reply;
    });
    line = Promise.allSettled([write]);
    return write;
  };
  return {
    writes,
    items,
    openFor: (worker) => open(worker, (incoming) => answer(worker, incoming)),
  };
}

async function open(
  worker: string,
  answer: (incoming: IncomingMessage) => Promise<Answer>,
): Promise<StandIn> {
  const server = createServer((incoming, response) => {
    answer(incoming).then(
      (reply) => send(response, reply),
      // The client is gone, or sees a broken connection as it would of the service.
      (error: Error) => response.destroy(error),
    );
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0, what: `DynamoDB of ${worker}` });
  return { url: `http://127.0.0.1:${port}`, port, close: () => closeServer(server) };
}

function send(response: ServerResponse, reply: Answer): void {
  const { 'transfer-encoding': _, connection: __, ...headers } = reply.headers;
  response.writeHead(reply.status, { ...headers, 'content-length': reply.body.length });
  response.end(reply.body);
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The write as it is sent on: the server is asked for the whole item, where the worker did not want to know. */
function writeOf(incoming: IncomingMessage, body: Buffer, table: string): Asked | undefined {
  const verb = String(incoming.headers['x-amz-target']).split('.').at(-1) ?? '';
  if (!verbs.has(verb)) return undefined;
  const asked = JSON.parse(body.toString()) as Asked['body'];
  if (asked.TableName !== table) return undefined;
  return { verb, body: verb === 'UpdateItem' ? { ...asked, ReturnValues: 'ALL_NEW' } : asked };
}

function itemAfter({ verb, body }: Asked, reply: Buffer): WireItem | undefined {
  if (verb === 'DeleteItem') return undefined;
  if (verb === 'PutItem') return body.Item;
  return (JSON.parse(reply.toString()) as { Attributes?: WireItem }).Attributes;
}

function forward(target: string, incoming: IncomingMessage, body: Buffer, agent: Agent): Promise<Answer> {
  const { 'transfer-encoding': _, 'x-amz-content-sha256': __, expect: ___, ...headers } = incoming.headers;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      target,
      {
        agent,
        method: incoming.method,
        path: incoming.url,
        headers: { ...headers, 'content-length': body.length },
      },
      (reply) => {
        bodyOf(reply).then(
          (bytes) => resolve({ status: reply.statusCode ?? 500, headers: reply.headers, body: bytes }),
          reject,
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
