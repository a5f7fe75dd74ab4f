import { finished } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { GetRecordsCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import { toReadPage } from './aws-kinesis-shapes.ts';
import type { ReadPage } from './kinesis.ts';
import { parseRecordsBody } from './records-body.ts';

/**
 * GetRecords, signed, sent and refused by the SDK, but with its answer parsed here: the SDK's way from a page of 10 MiB
 * to records takes five copies of it, and more CPU than everything else that a consumer does.
 */
export async function getRecords(
  client: KinesisClient,
  input: { readonly iterator: string; readonly limit: number },
  options: { readonly what: string; readonly abortSignal: AbortSignal },
): Promise<ReadPage> {
  const command = new GetRecordsCommand({ ShardIterator: input.iterator, Limit: input.limit });
  let body: Buffer = Buffer.alloc(0);
  command.middlewareStack.add(
    (next) => async (request) => {
      const result = await next(request);
      const response = result.response as Response;
      if (response.statusCode === 200) {
        body = await collect(response.body as Readable, Number(response.headers['content-length'] ?? 0));
        // What is left for the SDK's parser, which looks at it next.
        response.body = Buffer.from('{}');
      }
      return result;
    },
    { name: 'keepBody', step: 'deserialize', priority: 'low' },
  );
  await client.send(command, { abortSignal: options.abortSignal });
  return toReadPage(parseRecordsBody(body), options.what);
}

/** What the SDK's HTTP handlers for Node give. */
interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body: Readable | Buffer;
}

/** 10 MiB of data in base64, and what 10,000 records have beside it. A longer answer is enlarged as it comes. */
const announcedBytesMax = 16 * 1024 * 1024;

/** Into one buffer of the length that was announced, as the parts that come are kept by nobody. */
async function collect(stream: Readable, announced: number): Promise<Buffer> {
  let body: Buffer = Buffer.allocUnsafeSlow(Math.min(announced, announcedBytesMax));
  let used = 0;
  stream.on('data', (chunk: Buffer) => {
    const wanted = used + chunk.length;
    if (wanted > body.length) body = enlarged(body, Math.max(wanted, 2 * body.length));
    chunk.copy(body, used);
    used = wanted;
  });
  await finished(stream, { writable: false });
  return body.subarray(0, used);
}

function enlarged(body: Buffer, bytes: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(bytes);
  body.copy(larger);
  return larger;
}
