import { once } from 'node:events';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { EventStreamCodec } from '@smithy/core/event-streams';
import { expect } from 'chai';
import { createAwsKinesis, createKinesisClient } from '../../../lib/streams/aws-kinesis.ts';
import type { SubscriptionPage } from '../../../lib/streams/kinesis.ts';

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString(),
  (text) => Buffer.from(text),
);

function message(told: Readonly<Record<string, string>>, payload: object = {}): Uint8Array {
  const headers = Object.fromEntries(
    Object.entries(told).map(([name, value]) => [name, { type: 'string' as const, value }]),
  );
  return codec.encode({ headers, body: Buffer.from(JSON.stringify(payload)) });
}

const event = { ':message-type': 'event' };
const opening = message({ ...event, ':event-type': 'initial-response' });
const pageEvent = message(
  { ...event, ':event-type': 'SubscribeToShardEvent' },
  {
    Records: [{ SequenceNumber: '1', PartitionKey: 'a', Data: 'aGVsbG8=', ApproximateArrivalTimestamp: 1.5 }],
    ContinuationSequenceNumber: '1',
    MillisBehindLatest: 0,
  },
);

interface Outcome {
  readonly texts: readonly string[];
  readonly code: string | undefined;
}

/** What a subscriber gets from a service that sends these messages and then ends the subscription. */
async function subscribeTo(messages: readonly Uint8Array[]): Promise<Outcome> {
  process.env.AWS_ACCESS_KEY_ID ??= 'test';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'test';
  const sessions: ServerHttp2Session[] = [];
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
    response.end(Buffer.concat(messages));
  });
  server.on('session', (session) => void sessions.push(session));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createKinesisClient({ region: 'eu-central-1', endpoint });
  const pages: SubscriptionPage[] = [];
  let code: string | undefined;
  try {
    const { signal } = new AbortController();
    const from = { type: 'TRIM_HORIZON' } as const;
    for await (const page of createAwsKinesis(client).subscribe('arn', 'shard', from, signal))
      pages.push(page);
  } catch (error) {
    ({ code } = error as { readonly code: string });
  } finally {
    client.destroy();
    for (const session of sessions) session.destroy();
    server.close();
  }
  const texts = pages.flatMap(({ records }) => records.map(({ data }) => Buffer.from(data).toString()));
  return { texts, code };
}

describe('a subscription to a shard', () => {
  it('gives each page, passes over what it does not know, and ends when the service ends it', async () => {
    const unknown = message({ ...event, ':event-type': 'of-another-year' });
    const outcome = await subscribeTo([opening, pageEvent, unknown, pageEvent]);
    expect(outcome).to.deep.equal({ texts: ['hello', 'hello'], code: undefined });
  });

  const refusals: readonly (readonly [what: string, sent: Uint8Array, code: string])[] = [
    [
      'an exception',
      message(
        { ':message-type': 'exception', ':exception-type': 'ResourceInUseException' },
        { message: 'Another subscription of this consumer took over.' },
      ),
      'resource-in-use',
    ],
    [
      'an exception about the shard',
      message(
        { ':message-type': 'exception', ':exception-type': 'ResourceNotFoundException' },
        { message: 'Shard shard-1 in stream s does not exist' },
      ),
      'shard-not-found',
    ],
    [
      'an error',
      message({ ':message-type': 'error', ':error-code': 'InternalError', ':error-message': 'Sorry' }),
      'kinesis-unavailable',
    ],
    ['half a message', pageEvent.subarray(0, 40), 'kinesis-unavailable'],
    [
      'a page that is no JSON',
      codec.encode({
        headers: { ':event-type': { type: 'string', value: 'SubscribeToShardEvent' } },
        body: Buffer.from('{'),
      }),
      'kinesis-unavailable',
    ],
  ];
  for (const [what, sent, code] of refusals) {
    it(`that gets ${what} after a page is ${code}`, async () => {
      expect(await subscribeTo([opening, pageEvent, sent])).to.deep.equal({ texts: ['hello'], code });
    });
  }
});
