import { cbor, tag } from '@smithy/core/cbor';
import { expect } from 'chai';
import { readMessages } from '../../../lib/streams/event-stream.ts';
import { type KinesisServer, startKinesis } from '../../../local/kinesis/server.ts';

const contentType = 'application/x-amz-cbor-1.1';

interface Told {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Sent {
  readonly SequenceNumber: string;
  readonly Data: Uint8Array;
  readonly ApproximateArrivalTimestamp: { readonly tag: number; readonly value: number };
}

async function* buffers(response: Response): AsyncGenerator<Buffer> {
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) yield Buffer.from(chunk);
}

describe('the Kinesis stand-in, spoken to in CBOR', () => {
  let server: KinesisServer;

  before(async () => {
    const where = { port: 0, region: 'eu-central-1', accountId: '000000000000' } as const;
    server = await startKinesis({ ...where, limits: 'off' });
    const created = await call('CreateStream', { StreamName: 's', ShardCount: 1 });
    expect(created).to.deep.include({ status: 200, body: {} });
  });
  after(() => server.close());

  async function post(operation: string, body: Uint8Array): Promise<Told> {
    const headers = { 'x-amz-target': `Kinesis_20131202.${operation}`, 'content-type': contentType };
    const response = await fetch(server.url, { method: 'POST', headers, body: Buffer.from(body) });
    const answer = new Uint8Array(await response.arrayBuffer());
    return {
      status: response.status,
      contentType: response.headers.get('content-type'),
      body: answer.length === 0 ? {} : (cbor.deserialize(answer) as Told['body']),
    };
  }

  async function call(operation: string, input: object): Promise<Told> {
    return post(operation, cbor.serialize(input));
  }

  it('takes and gives bytes as bytes and times as tagged milliseconds', async () => {
    const Data = Uint8Array.from({ length: 256 }, (_, i) => i);
    const before = Date.now();
    const put = await call('PutRecord', { StreamName: 's', PartitionKey: 'Schlüssel', Data });
    const place = { StreamName: 's', ShardId: 'shardId-000000000000' };
    const { body: at } = await call('GetShardIterator', {
      ...place,
      ShardIteratorType: 'AT_TIMESTAMP',
      Timestamp: tag({ tag: 1, value: before }),
    });
    const { body: page, contentType: type } = await call('GetRecords', {
      ShardIterator: at['ShardIterator'],
    });
    const [record] = page['Records'] as readonly Sent[];
    expect(type).to.equal(contentType);
    expect(record).to.include({ PartitionKey: 'Schlüssel', SequenceNumber: put.body['SequenceNumber'] });
    expect([...record!.Data]).to.deep.equal([...Data]);
    expect(record!.ApproximateArrivalTimestamp.tag).to.equal(1);
    expect(record!.ApproximateArrivalTimestamp.value).to.be.within(before, Date.now());
  });

  it('pushes events in CBOR, and says so of each', async () => {
    const { body: stream } = await call('DescribeStreamSummary', { StreamName: 's' });
    const { StreamARN } = stream['StreamDescriptionSummary'] as { readonly StreamARN: string };
    const registered = await call('RegisterStreamConsumer', { StreamARN, ConsumerName: 'c' });
    const { ConsumerARN } = registered.body['Consumer'] as { readonly ConsumerARN: string };
    const pushed = await fetch(server.url, {
      method: 'POST',
      headers: { 'x-amz-target': 'Kinesis_20131202.SubscribeToShard', 'content-type': contentType },
      body: Buffer.from(
        cbor.serialize({
          ConsumerARN,
          ShardId: 'shardId-000000000000',
          StartingPosition: { Type: 'TRIM_HORIZON' },
        }),
      ),
    });
    const told: string[] = [];
    for await (const { headers, payload } of readMessages(buffers(pushed))) {
      expect(headers.get(':content-type')).to.equal(contentType);
      const event = cbor.deserialize(payload) as { readonly Records?: readonly Sent[] };
      told.push(`${headers.get(':event-type')} ${event.Records?.[0]?.Data.length}`);
      if (told.length === 2) break;
    }
    expect(told).to.deep.equal(['initial-response undefined', 'SubscribeToShardEvent 256']);
  });

  it('refuses in CBOR too', async () => {
    const refused = await call('DescribeStreamSummary', { StreamName: 'gone' });
    expect([refused.status, refused.contentType]).to.deep.equal([400, contentType]);
    expect(refused.body['__type']).to.equal('ResourceNotFoundException');
    const garbled = await post('DescribeStreamSummary', Buffer.from([0xa1, 0x61]));
    expect(garbled.body['__type']).to.equal('SerializationException');
  });
});
