import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createAwsKinesis, createKinesisClient } from '../../../lib/streams/aws-kinesis.ts';
import type { KinesisError } from '../../../lib/streams/kinesis-error.ts';
import type { ReadPage } from '../../../lib/streams/kinesis.ts';

const page = JSON.stringify({
  Records: [
    { SequenceNumber: '1', PartitionKey: 'a', Data: 'aGVsbG8=', ApproximateArrivalTimestamp: 1767225600.123 },
  ],
  NextShardIterator: 'next',
  MillisBehindLatest: 5,
});

/** One read from a service that answers like this. */
async function readFrom(answer: RequestListener, signal?: AbortSignal): Promise<ReadPage> {
  process.env.AWS_ACCESS_KEY_ID ??= 'test';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'test';
  const server: Server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createKinesisClient({ region: 'eu-central-1', endpoint });
  try {
    return await createAwsKinesis(client).read('s', 'iterator', 10, signal);
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
}

async function errorOf(call: Promise<unknown>): Promise<KinesisError> {
  return call.then(
    () => expect.fail('did not fail'),
    (error: unknown) => error as KinesisError,
  );
}

describe('a read of a shard', () => {
  it('asks for the iterator with a signature', async () => {
    const asked: unknown[] = [];
    await readFrom((request, response) => {
      asked.push(request.headers['x-amz-target'], request.headers.authorization?.split(' ')[0]);
      request.on('data', (chunk: Buffer) => asked.push(chunk.toString()));
      request.on('end', () => response.end(page));
    });
    expect(asked).to.deep.equal([
      'Kinesis_20131202.GetRecords',
      'AWS4-HMAC-SHA256',
      '{"ShardIterator":"iterator","Limit":10}',
    ]);
  });

  it('gives the page of an answer that says how long it is, and of one that comes in chunks', async () => {
    const whole = await readFrom((_, response) => response.end(page));
    const chunked = await readFrom((_, response) => {
      for (const character of page) response.write(character);
      response.end();
    });
    for (const read of [whole, chunked]) {
      const [record] = read.records;
      expect(record).to.deep.include({ sequenceNumber: '1', partitionKey: 'a', arrivedAtMs: 1767225600123 });
      expect(Buffer.from(record!.data).toString()).to.equal('hello');
      expect(read).to.deep.include({ nextIterator: 'next', millisBehindLatest: 5, childShards: [] });
    }
  });

  const failures: readonly (readonly [what: string, answer: RequestListener, code: string])[] = [
    [
      'is refused by name',
      (_, response) =>
        response.writeHead(400).end('{"__type":"com.amazonaws.kinesis.v1#ExpiredIteratorException"}'),
      'iterator-expired',
    ],
    [
      'is refused by name in a header',
      (_, response) =>
        response.writeHead(400, { 'x-amzn-errortype': 'ProvisionedThroughputExceededException:x' }).end(),
      'throttled',
    ],
    [
      'gets a page of a proxy',
      (_, response) => response.writeHead(502).end('<html>Bad gateway</html>'),
      'kinesis-unavailable',
    ],
    ['gets something else with 200', (_, response) => response.end('<html></html>'), 'kinesis-unavailable'],
    ['gets nothing with 200', (_, response) => response.end(), 'kinesis-unavailable'],
    [
      'gets a record without its number',
      (_, response) => response.end('{"Records":[{"Data":"","PartitionKey":"a"}]}'),
      'kinesis-unavailable',
    ],
    [
      'is cut off half-way',
      (_, response) => {
        response.writeHead(200, { 'content-length': page.length }).write(page.slice(0, 30));
        setImmediate(() => response.destroy());
      },
      'kinesis-unavailable',
    ],
  ];
  for (const [what, answer, code] of failures) {
    it(`that ${what} is ${code}`, async () => {
      const error = await errorOf(readFrom(answer));
      expect(error).to.have.property('code', code);
      expect(error.message).to.match(/^GetRecords of s: /);
    });
  }

  it('ends with its signal, also while the answer comes', async () => {
    const abort = new AbortController();
    const reason = new Error('the lease is lost');
    const answer: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-length': page.length }).write(page.slice(0, 30));
      setImmediate(() => abort.abort(reason));
    };
    expect(await errorOf(readFrom(answer, abort.signal))).to.equal(reason);
  });
});
