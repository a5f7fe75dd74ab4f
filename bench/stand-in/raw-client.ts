import { Agent, request } from 'node:http';

/** A client that costs next to nothing, so that the server is what is measured: no signing, no base64, one parse. */
export class RawClient {
  readonly #url: URL;
  readonly #agent: Agent;

  constructor(url: string, connections: number) {
    this.#url = new URL(url);
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** The bytes of the answer; rejects on any other status than 200. */
  call(operation: string, body: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const sent = request(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          headers: { ...headersOf(operation), 'content-length': body.length },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const bytes = Buffer.concat(chunks);
            if (response.statusCode === 200) resolve(bytes);
            else reject(new Error(`${operation}: ${response.statusCode} ${bytes.toString().slice(0, 300)}`));
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** Feeds the answer to `onChunk` as it comes, until that returns true. */
  stream(operation: string, body: Buffer, onChunk: (chunk: Buffer) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const sent = request(
        this.#url,
        { method: 'POST', agent: false, headers: { ...headersOf(operation), 'content-length': body.length } },
        (response) => {
          response.on('error', reject);
          response.on('data', (chunk: Buffer) => {
            if (!onChunk(chunk)) return;
            response.off('error', reject);
            response.destroy();
            resolve();
          });
          response.on('end', () => reject(new Error(`${operation} ended early with ${response.statusCode}`)));
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** kinesis-local wants the shape of a signature, though not a right one. */
function headersOf(operation: string): Record<string, string> {
  return {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `Kinesis_20131202.${operation}`,
    'x-amz-date': '20260101T000000Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=a/20260101/eu-central-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=0',
  };
}
