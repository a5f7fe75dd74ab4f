import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { GetRecordsCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import { answerOf } from './aws-answer.ts';
import { toReadPage } from './aws-kinesis-shapes.ts';
import type { ReadPage } from './kinesis.ts';
import { parseRecordsBody } from './records-body.ts';

/** 10 MiB of data in base64, and what 10,000 records have beside it. A longer answer is enlarged as it comes. */
const announcedBytesMax = 16 * 1024 * 1024;

/** One page of a shard. */
export async function getRecords(
  client: KinesisClient,
  input: { readonly iterator: string; readonly limit: number },
  options: { readonly what: string; readonly abortSignal: AbortSignal },
): Promise<ReadPage> {
  const command = new GetRecordsCommand({ ShardIterator: input.iterator, Limit: input.limit });
  const { body, headers } = await answerOf(client, command, { abortSignal: options.abortSignal });
  const whole = await collect(body, Number(headers['content-length'] ?? 0));
  return toReadPage(parseRecordsBody(whole), options.what);
}

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
