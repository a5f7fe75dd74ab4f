import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';

export type Handler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

/** A client of the SDK keeps idle connections for a while; closing first would race with its next request. */
const KEEP_ALIVE_MS = 120_000;
/** The default window of 64 KiB would make a 200 KiB PutRecords wait for three round trips. */
const WINDOW_BYTES = 8 * 1024 * 1024;
/** Megabytes that one HTTP/2 connection may buffer before Node refuses its streams. */
const SESSION_MEMORY_MB = 1_024;
/** Answers under way when the server closes get this long. */
const CLOSE_GRACE_MS = 1_000;

export interface OnePort {
  readonly server: Server;
  readonly close: () => Promise<void>;
}

/**
 * HTTP/1.1 and cleartext HTTP/2 with prior knowledge on one port: the first bytes of a connection say which it is
 * (RFC 9113, 3.4: a client's preface begins with `PRI`). The first chunk is read with 'readable' and put back, since
 * a paused 'data' listener would leave the HTTP/2 session without its preface.
 */
export function createOnePort(handler: Handler): OnePort {
  const active = new Active();
  const tracked: Handler = (request, response) => {
    active.enter();
    response.on('close', () => active.leave());
    handler(request, response);
  };
  const http1 = createHttp1({ keepAliveTimeout: KEEP_ALIVE_MS }, tracked);
  const http2 = createHttp2(
    { settings: { initialWindowSize: WINDOW_BYTES }, maxSessionMemory: SESSION_MEMORY_MB },
    tracked,
  );
  http2.on('session', (session) => session.setLocalWindowSize(WINDOW_BYTES));
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A reset by the peer is the peer's business; 'close' follows and does what is to be done.
    socket.on('error', () => socket.destroy());
    socket.once('readable', () => {
      const first: Buffer | null = socket.read();
      if (first === null) return void socket.destroy();
      socket.unshift(first);
      (first.subarray(0, 3).toString('latin1') === 'PRI' ? http2 : http1).emit('connection', socket);
    });
  });
  return { server, close: () => closeAll(server, sockets, active) };
}

/** Counts the answers under way. */
class Active {
  #count = 0;
  #idle: (() => void) | undefined;

  enter(): void {
    this.#count += 1;
  }

  leave(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#idle?.();
  }

  /** Resolves when there is none, or after `ms`. */
  idleWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#idle = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#count === 0) this.#idle();
    });
  }
}

async function closeAll(server: Server, sockets: ReadonlySet<Socket>, active: Active): Promise<void> {
  const closed = new Promise<void>((resolve, reject) =>
    server.close((error) => (error ? reject(error) : resolve())),
  );
  await active.idleWithin(CLOSE_GRACE_MS);
  for (const socket of sockets) socket.destroy();
  await closed;
}
