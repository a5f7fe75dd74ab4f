import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { finished, pipeline } from 'node:stream/promises';
import { closeServer } from '../close-server.ts';
import { listen, type StandIn } from '../listen.ts';
import { Buckets } from './buckets.ts';
import { S3Error } from './errors.ts';
import { findOperation } from './operations.ts';
import { type Answer, type Call, parseTarget } from './request.ts';
import { xmlDocument } from './xml.ts';

export interface S3Options {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Buckets are folders of `dataDir`/s3, objects files below them. */
  readonly dataDir: string;
  readonly region: string;
}

/**
 * S3 on a folder. Objects lie under their keys as plain files with the bytes that were put; what else is known of
 * them lies in `.weir`, beside the buckets. Path-style addresses only (`http://127.0.0.1:PORT/bucket/key`).
 * Signatures, ACLs and bucket owners are not checked: whoever reaches the port may do anything.
 * Files are renamed into place but not synced: a kill loses nothing, a power cut may.
 * @throws PlatformError `port-in-use`
 */
export async function startS3(options: S3Options): Promise<StandIn> {
  const server = createServer();
  const port = await listen(server, { ...options, what: 'S3' });
  // Not before the port is ours: another S3 may be at work in the folder.
  const buckets = Buckets.open(join(options.dataDir, 's3'));
  server.on('request', (message, response) => {
    void serve(message, response, { buckets, region: options.region });
  });
  try {
    await buckets;
  } catch (error) {
    await closeServer(server);
    throw error;
  }
  return { url: `http://${options.host}:${port}`, port, close: () => closeServer(server) };
}

interface Context {
  readonly buckets: Promise<Buckets>;
  readonly region: string;
}

/** Never rejects: whatever goes wrong is an answer, or the end of the connection once an answer has begun. */
async function serve(message: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  response.setHeader('x-amz-request-id', randomUUID());
  try {
    const answer = await answerTo(message, context);
    await send(response, answer, message.method === 'HEAD');
  } catch (error) {
    if (message.destroyed && !message.complete) response.destroy();
    else if (response.headersSent) response.destroy();
    else await sendError(message, response, error);
  }
}

async function answerTo(message: IncomingMessage, { buckets, region }: Context): Promise<Answer> {
  const target = parseTarget(message.url ?? '/');
  const call: Call = { ...target, buckets: await buckets, region, headers: message.headers, message };
  return findOperation(message.method ?? '', call)(call);
}

async function send(response: ServerResponse, answer: Answer, isHead: boolean): Promise<void> {
  const { file, xml } = answer;
  response.statusCode = answer.status;
  if (xml !== undefined) response.setHeader('content-type', 'application/xml');
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (file === undefined) {
    response.end(isHead ? undefined : xml);
    return;
  }
  try {
    const { range } = file;
    const bytes = file.handle.createReadStream(
      range === undefined ? { autoClose: false } : { start: range.first, end: range.last, autoClose: false },
    );
    await pipeline(bytes, response);
  } finally {
    await file.handle.close();
  }
}

/** The rest of the body is read first: a client still sending would see a broken connection instead of the error. */
async function sendError(message: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> {
  message.resume();
  try {
    await finished(message);
  } catch {
    response.destroy();
    return;
  }
  const known = error instanceof S3Error ? error : new S3Error('InternalError', {}, String(error));
  const bodiless = message.method === 'HEAD' || known.status === 304;
  const headers =
    known.code === 'InvalidRange' ? { 'content-range': `bytes */${known.details.ActualObjectSize}` } : {};
  const document = xmlDocument('Error', {
    Code: known.code,
    Message: known.message,
    ...known.details,
    Resource: message.url,
    RequestId: String(response.getHeader('x-amz-request-id')),
  });
  await send(response, { status: known.status, headers, ...(bodiless ? {} : { xml: document }) }, bodiless);
}
