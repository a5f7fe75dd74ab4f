import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler';

/** Calls under way at once, over all shards of a process; the others wait for a socket. */
const socketsMax = 256;
/** A peer in the same region that has not answered the handshake by then will not. */
const connectMs = 2_000;
/** An enhanced fan-out connection without even an empty page for so long is dead; the Java KCL waits as long. */
const quietSubscriptionMs = 60_000;

export interface KinesisClientOptions {
  readonly region: string;
  /** Otherwise the SDK's own: AWS_ENDPOINT_URL_KINESIS, or the region's. */
  readonly endpoint?: string;
}

/**
 * A client for many shards: SubscribeToShard over HTTP/2 with a connection for each subscription, everything else over
 * kept-alive HTTP/1.1. The SDK's default, one HTTP/2 session for all calls, costs more and fails all shards together:
 * against local/kinesis (Node 20, 500 records of 300 B a call, 8 calls at once) a PutRecords took 3.3–3.7 ms of the
 * client's CPU on HTTP/1.1 and 4.3–4.5 ms on HTTP/2, a GetRecords page about a tenth less.
 * No retries inside: callers know what may wait and for how long (`PlatformError.retryable`).
 */
export function createKinesisClient(options: KinesisClientOptions): KinesisClient {
  const client = new KinesisClient({ ...options, maxAttempts: 1, requestHandler: new ProtocolPerCall() });
  // It copies all input and output for a log, though there is none: a tenth of the CPU of a large call.
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}

type Handle = NodeHttp2Handler['handle'];

class ProtocolPerCall {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #calls = new NodeHttpHandler({
    connectionTimeout: connectMs,
    httpAgent: { keepAlive: true, maxSockets: socketsMax },
    httpsAgent: { keepAlive: true, maxSockets: socketsMax },
  });
  readonly #subscriptions = new NodeHttp2Handler({ requestTimeout: quietSubscriptionMs });

  handle(request: Parameters<Handle>[0], options: Parameters<Handle>[1] = {}): ReturnType<Handle> {
    if (options.isEventStream !== true) return this.#calls.handle(request, options);
    // HTTP/2 names the host in a pseudo-header; the signature covers it as `host`, whichever way it travels.
    const { host, ...headers } = request.headers;
    request.headers = host === undefined ? headers : { ...headers, ':authority': host };
    return this.#subscriptions.handle(request, options);
  }

  destroy(): void {
    this.#calls.destroy();
    this.#subscriptions.destroy();
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): object {
    return {};
  }
}
