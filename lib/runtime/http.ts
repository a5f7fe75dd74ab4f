import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PlatformError } from './errors.ts';
import type { Log } from './log.ts';
import { HttpProblem, problemBody } from './problem.ts';

/** A slow client may not hold a request open for ever. */
const requestTimeoutMs = 60_000;
/** Longer than the 60 s idle timeout of the load balancer, so that it is never we who close first. */
const keepAliveTimeoutMs = 65_000;

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Values of `:name` parts of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** The whole body, at most the route's limit; empty where there is none. */
  readonly body: Buffer;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** A body that is no text, bytes or stream of texts is sent as JSON. */
export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `/v1/events/:id` */
  readonly path: string;
  readonly maxBodyBytes?: number;
  readonly handle: (request: HttpRequest) => Promise<HttpReply>;
}

export interface HttpServer {
  readonly port: number;
  /** Takes no new connections, lets requests in flight finish, then resolves. */
  readonly close: () => Promise<void>;
}

export interface HttpOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly routes: readonly Route[];
  readonly log: Log;
  /** Called once per answered request, with the route's path as it was declared. */
  readonly onAnswer?: (route: string, status: number, tookMs: number) => void;
}

/** Starts listening. Rejects with code `port-in-use` when somebody else has the port. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const routes = options.routes.map((route) => ({ route, parts: route.path.split('/') }));
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing, routes, options));
  server.requestTimeout = requestTimeoutMs;
  server.keepAliveTimeout = keepAliveTimeoutMs;
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeIdleConnections();
      }),
  };
}

function listen(server: Server, options: HttpOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(
        taken
          ? new PlatformError('port-in-use', `Port ${options.port} is taken: set PORT to another one`, {
              cause: error,
            })
          : error,
      );
    });
    server.listen(options.port, options.host, resolve);
  });
}

interface Compiled {
  readonly route: Route;
  readonly parts: readonly string[];
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  routes: readonly Compiled[],
  options: HttpOptions,
): Promise<void> {
  const startedAt = performance.now();
  const id = randomUUID();
  let path = 'none';
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  try {
    const url = new URL(incoming.url ?? '/', 'http://localhost');
    const { route, params } = find(routes, incoming.method ?? 'GET', url.pathname);
    path = route.path;
    const body = await readBody(incoming, route.maxBodyBytes ?? 0);
    const reply = await route.handle({
      method: route.method,
      path: url.pathname,
      params,
      query: url.searchParams,
      headers: incoming.headers,
      body,
      signal: gone.signal,
    });
    await send(outgoing, reply, id);
  } catch (error) {
    await fail(outgoing, error, id, options.log);
  }
  options.onAnswer?.(path, outgoing.statusCode, performance.now() - startedAt);
}

function find(
  routes: readonly Compiled[],
  method: string,
  path: string,
): { route: Route; params: Record<string, string> } {
  const parts = path.split('/');
  const allowed: string[] = [];
  for (const { route, parts: wanted } of routes) {
    const params = match(wanted, parts);
    if (params === undefined) continue;
    if (route.method === method) return { route, params };
    allowed.push(route.method);
  }
  if (allowed.length === 0) throw new HttpProblem(404, 'no-such-path', 'Not found', `There is no ${path}`);
  throw new HttpProblem(
    405,
    'method-not-allowed',
    'Method not allowed',
    `${path} takes ${allowed.join(', ')}`,
    {
      headers: { allow: allowed.join(', ') },
    },
  );
}

function match(wanted: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (wanted.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const given = parts[index] ?? '';
    if (!part.startsWith(':')) {
      if (part !== given) return undefined;
      continue;
    }
    try {
      params[part.slice(1)] = decodeURIComponent(given);
    } catch (cause) {
      throw new HttpProblem(400, 'bad-path', 'Bad request', `"${given}" is not valid percent-encoding`, {
        cause,
      });
    }
  }
  return params;
}

async function readBody(incoming: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) {
      throw new HttpProblem(413, 'body-too-large', 'Content too large', `The body may have ${limit} bytes`, {
        headers: { connection: 'close' },
      });
    }
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length);
}

async function send(outgoing: ServerResponse, reply: HttpReply, id: string): Promise<void> {
  const { body } = reply;
  const headers = { 'x-request-id': id, ...reply.headers };
  if (isStream(body)) {
    outgoing.writeHead(reply.status, headers);
    for await (const chunk of body) {
      if (outgoing.destroyed) break;
      if (!outgoing.write(chunk))
        await new Promise((resolve) => outgoing.once('drain', resolve).once('close', resolve));
    }
    outgoing.end();
    return;
  }
  const bytes = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body ?? null);
  const type =
    typeof body === 'object' && !(body instanceof Uint8Array) ? { 'content-type': 'application/json' } : {};
  outgoing.writeHead(reply.status, { ...type, 'content-length': Buffer.byteLength(bytes), ...headers });
  outgoing.end(body === undefined ? undefined : bytes);
}

function isStream(body: unknown): body is AsyncIterable<string> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

async function fail(outgoing: ServerResponse, error: unknown, id: string, log: Log): Promise<void> {
  const known = error instanceof HttpProblem;
  if (!known) log.error('request failed', { requestId: id, error });
  const problem = known
    ? error
    : new HttpProblem(
        500,
        'internal',
        'Internal error',
        'Something broke here; the log has it under this instance',
      );
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  await send(
    outgoing,
    {
      status: problem.status,
      headers: { 'content-type': 'application/problem+json', ...problem.headers },
      body: problemBody(problem, `urn:uuid:${id}`),
    },
    id,
  );
}
