import { Buffer } from 'node:buffer';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call that a service made of AWS, as IAM judges it. */
export interface RecordedCall {
  /** `kinesis:PutRecords` */
  readonly action: string;
  /** Names of streams, tables, buckets or queues; empty where the call names none. */
  readonly resources: readonly string[];
}

export type Endpoint = 'kinesis' | 'dynamodb' | 's3' | 'sqs' | 'glue';

export interface Recorder {
  readonly url: string;
  readonly calls: () => readonly RecordedCall[];
  readonly close: () => Promise<void>;
}

/**
 * A proxy on loopback that stands for all of AWS to one service: it passes each call on to its stand-in and notes what
 * was asked. Knows the protocols by their headers: JSON services name the operation, S3 has method and path.
 */
export async function startRecorder(endpoints: Readonly<Record<Endpoint, string>>): Promise<Recorder> {
  const seen = new Map<string, RecordedCall>();
  const note = (call: RecordedCall): void => void seen.set(JSON.stringify(call), call);
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const endpoint = endpointOf(incoming);
      const call = endpoint === 's3' ? s3Call(incoming) : jsonCall(endpoint, incoming, body);
      note(call);
      forward(incoming, body, endpoints[endpoint], answer, (status) => {
        // Without the right to list, S3 answers 403 and not 404 to a key that is not there.
        if (call.action === 's3:GetObject' && status === 404) note({ ...call, action: 's3:ListBucket' });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, calls: () => [...seen.values()], close: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.closeAllConnections();
    server.close((error) => (error ? reject(error) : resolve()));
  });
}

function forward(
  incoming: IncomingMessage,
  body: Buffer,
  endpoint: string,
  answer: ServerResponse,
  onStatus: (status: number) => void,
): void {
  const { hostname, port } = new URL(endpoint);
  const { method, url: path, headers } = incoming;
  const outgoing = request({ hostname, port, method, path, headers }, (reply) => {
    onStatus(reply.statusCode ?? 0);
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(answer);
  });
  // The stand-in is gone or cut the line: so do we, and the SDK sees what it would have seen.
  outgoing.on('error', () => answer.destroy());
  outgoing.end(body);
}

const targets: readonly (readonly [prefix: string, endpoint: Endpoint])[] = [
  ['Kinesis_', 'kinesis'],
  ['DynamoDB_', 'dynamodb'],
  ['AmazonSQS', 'sqs'],
  ['AWSGlue', 'glue'],
];

function target(incoming: IncomingMessage): string {
  return String(incoming.headers['x-amz-target'] ?? '');
}

function endpointOf(incoming: IncomingMessage): Endpoint {
  return targets.find(([prefix]) => target(incoming).startsWith(prefix))?.[1] ?? 's3';
}

/** Calls whose right has another name. https://docs.aws.amazon.com/service-authorization/latest/reference/ */
const rights: Readonly<Record<string, string>> = { 'sqs:SendMessageBatch': 'sqs:SendMessage' };

function jsonCall(endpoint: Endpoint, incoming: IncomingMessage, body: Buffer): RecordedCall {
  const call = `${endpoint}:${target(incoming).split('.')[1] ?? ''}`;
  const input = JSON.parse(body.toString('utf8') || '{}') as Readonly<Record<string, unknown>>;
  const named = [input.StreamName, input.StreamARN, input.TableName, input.QueueUrl]
    .filter((name) => typeof name === 'string')
    .map((name) => name.split('/').at(-1) ?? '');
  const batch = typeof input.RequestItems === 'object' ? Object.keys(input.RequestItems ?? {}) : [];
  return { action: rights[call] ?? call, resources: [...new Set([...named, ...batch])].toSorted() };
}

/** The right that a request to S3 needs; buckets are the first part of the path. */
function s3Call({ method, url = '/' }: IncomingMessage): RecordedCall {
  const { pathname, searchParams } = new URL(url, 'http://s3');
  const [, bucket = '', key = ''] = pathname.split('/');
  return { action: `s3:${s3Right(method ?? '', key !== '', searchParams)}`, resources: [bucket] };
}

function s3Right(method: string, hasKey: boolean, parameters: URLSearchParams): string {
  if (!hasKey) return method === 'GET' || method === 'HEAD' ? 'ListBucket' : `${method} of a bucket`;
  switch (method) {
    case 'GET':
    case 'HEAD':
      return 'GetObject';
    case 'DELETE':
      return parameters.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
    default:
      return 'PutObject';
  }
}
