import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { ServiceError } from '../errors.ts';
import { type Format, formatOf } from './format.ts';

export type Request = IncomingMessage | Http2ServerRequest;
/** What both kinds of response can do; their own types have no common form of these calls. */
type Response = Pick<ServerResponse, 'on' | 'once' | 'off' | 'end'> & {
  readonly writeHead: (status: number, headers: Record<string, string | number>) => unknown;
  readonly write: (chunk: Uint8Array) => boolean;
  readonly writableNeedDrain: boolean;
};

/** Ten MiB of data in base64, 500 partition keys of 256 characters of 4 bytes, and room for the JSON around them. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;
/** Below this, one copied buffer is cheaper than several writes. */
const SINGLE_WRITE_BYTES_MAX = 64 * 1024;

/** One request and its response, over HTTP/1.1 or HTTP/2. */
export class Exchange {
  readonly method: string;
  readonly path: string;
  readonly format: Format;
  readonly #request: Request;
  readonly #response: Response;
  #started = false;
  #gone = false;

  constructor(request: Request, response: ServerResponse | Http2ServerResponse) {
    this.#request = request;
    this.#response = response as Response;
    this.method = request.method ?? 'GET';
    this.path = request.url ?? '/';
    this.format = formatOf(request.headers['content-type']);
    response.on('close', () => {
      this.#gone = true;
    });
  }

  /** The answer has begun: its status can no longer change. */
  get started(): boolean {
    return this.#started;
  }

  /** Nobody is there to be answered: the answer is through, or the connection is. */
  get gone(): boolean {
    return this.#gone;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** Throws SerializationException above the limit. */
  async body(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.#request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) {
        throw new ServiceError(
          'SerializationException',
          `The request is longer than ${BODY_BYTES_MAX} bytes.`,
        );
      }
      chunks.push(chunk);
    }
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes);
  }

  /** A JSON document, in the format of the request. */
  reply(status: number, json: string | readonly Uint8Array[]): void {
    this.replyAs(this.format.contentType, status, this.format.render(json));
  }

  replyAs(contentType: string, status: number, body: string | readonly Uint8Array[]): void {
    const parts = typeof body === 'string' ? [Buffer.from(body)] : body;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.#head(status, { 'content-type': contentType, 'content-length': length });
    if (length <= SINGLE_WRITE_BYTES_MAX) {
      this.#response.end(parts.length === 1 ? parts[0] : Buffer.concat(parts, length));
      return;
    }
    for (const part of parts) this.#response.write(part);
    this.#response.end();
  }

  /** Sends a head that promises more than it sends, then cuts the connection. */
  replyInHalf(json: string | readonly Uint8Array[]): void {
    const { contentType } = this.format;
    const body = this.format.render(json);
    const whole = typeof body === 'string' ? Buffer.from(body) : Buffer.concat(body);
    this.#head(200, { 'content-type': contentType, 'content-length': whole.length + 1 });
    this.#response.write(whole.subarray(0, whole.length / 2));
    this.cutSoon();
  }

  startStream(contentType: string): void {
    this.#head(200, { 'content-type': contentType });
  }

  /** False when the peer reads too slowly: wait for `drained` then. */
  write(bytes: Uint8Array): boolean {
    return this.#response.write(bytes);
  }

  /** Resolves when there is room again or the connection is gone. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#gone) return resolve();
      const done = (): void => {
        this.#response.off('drain', done);
        this.#response.off('close', done);
        resolve();
      };
      this.#response.once('drain', done);
      this.#response.once('close', done);
    });
  }

  end(): void {
    this.#response.end();
  }

  onClose(closed: () => void): void {
    this.#response.on('close', closed);
  }

  /** Cuts the whole connection, as a broken network does: over HTTP/2 that ends every request on it. */
  cut(): void {
    if ('stream' in this.#request) this.#request.stream.session?.destroy();
    else this.#request.socket.destroy();
  }

  /** Cuts after what was written so far has had a turn to leave. */
  cutSoon(): void {
    setImmediate(() => this.cut());
  }

  #head(status: number, headers: Record<string, string | number>): void {
    this.#started = true;
    this.#response.writeHead(status, { ...headers, 'x-amzn-requestid': randomUUID() });
  }
}
