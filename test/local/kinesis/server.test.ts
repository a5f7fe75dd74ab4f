import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  IncreaseStreamRetentionPeriodCommand,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  UpdateShardCountCommand,
  type KinesisClient,
  type ShardFilter,
} from '@aws-sdk/client-kinesis';
import { expect } from 'chai';
import type { KinesisOptions } from '../../../local/kinesis/server.ts';
import { refusalOf, shardId, startTestKinesis, type TestKinesis } from './support.ts';

const HOUR_MS = 3_600_000;

describe('the Kinesis stand-in', () => {
  let kinesis: TestKinesis;
  let client: KinesisClient;
  let nowMs: number;

  afterEach(() => kinesis.stop());

  async function start(options: Partial<KinesisOptions> = {}, shardCount = 1): Promise<void> {
    nowMs = 1_700_000_000_000;
    kinesis = await startTestKinesis({ clock: { now: () => nowMs }, ...options });
    client = kinesis.client;
    await client.send(new CreateStreamCommand({ StreamName: 's', ShardCount: shardCount }));
  }

  async function put(text: string): Promise<void> {
    await client.send(new PutRecordCommand({ StreamName: 's', PartitionKey: 'k', Data: Buffer.from(text) }));
  }

  async function iterator(shard = 0): Promise<string> {
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({
        StreamName: 's',
        ShardId: shardId(shard),
        ShardIteratorType: 'TRIM_HORIZON',
      }),
    );
    return ShardIterator!;
  }

  async function texts(): Promise<string[]> {
    const { Records } = await client.send(new GetRecordsCommand({ ShardIterator: await iterator() }));
    return Records!.map((record) => Buffer.from(record.Data!).toString());
  }

  function arm(faults: object): Promise<Response> {
    return fetch(`${kinesis.server.url}/_weir/faults`, {
      method: 'POST',
      body: JSON.stringify(faults),
    });
  }

  it('forgets records that are older than the retention, and only those', async () => {
    await start();
    await put('old');
    nowMs += 2 * HOUR_MS;
    await put('new');
    nowMs += 22 * HOUR_MS;
    expect(await texts()).to.deep.equal(['old', 'new']);
    nowMs += 1_001;
    expect(await texts()).to.deep.equal(['new']);
  });

  it('trims at once when the retention is shortened, and brings nothing back when it is prolonged', async () => {
    await start();
    const retention = (RetentionPeriodHours: number) => ({ StreamName: 's', RetentionPeriodHours });
    await client.send(new IncreaseStreamRetentionPeriodCommand(retention(48)));
    await put('old');
    nowMs += 30 * HOUR_MS;
    expect(await texts()).to.deep.equal(['old']);
    await client.send(new DecreaseStreamRetentionPeriodCommand(retention(24)));
    await client.send(new IncreaseStreamRetentionPeriodCommand(retention(48)));
    expect(await texts()).to.deep.equal([]);
  });

  it('lets an iterator expire five minutes after it was given, not before', async () => {
    await start();
    const given = await iterator();
    nowMs += 300_000;
    await client.send(new GetRecordsCommand({ ShardIterator: given }));
    nowMs += 1;
    const refusal = await refusalOf(client.send(new GetRecordsCommand({ ShardIterator: given })));
    expect(refusal.name).to.equal('ExpiredIteratorException');
  });

  it('says how far behind the tip a page ends', async () => {
    await start();
    await put('one');
    nowMs += 1_500;
    await put('two');
    nowMs += 250;
    const page = new GetRecordsCommand({ ShardIterator: await iterator(), Limit: 1 });
    const first = await client.send(page);
    expect(first.MillisBehindLatest).to.equal(1_750);
    const second = await client.send(new GetRecordsCommand({ ShardIterator: first.NextShardIterator }));
    expect(second.MillisBehindLatest).to.equal(0);
  });

  it('filters shards by the times at which they were open', async () => {
    await start();
    const created = nowMs;
    nowMs += 1_000;
    await client.send(
      new UpdateShardCountCommand({ StreamName: 's', TargetShardCount: 2, ScalingType: 'UNIFORM_SCALING' }),
    );
    const split = nowMs;
    nowMs += 1_000;
    const listed = async (ShardFilter: ShardFilter): Promise<number[]> => {
      const { Shards } = await client.send(new ListShardsCommand({ StreamName: 's', ShardFilter }));
      return Shards!.map((shard) => Number(shard.ShardId!.slice(8)));
    };
    expect(await listed({ Type: 'AT_TIMESTAMP', Timestamp: new Date(created) })).to.deep.equal([0]);
    expect(await listed({ Type: 'AT_TIMESTAMP', Timestamp: new Date(split + 1) })).to.deep.equal([1, 2]);
    expect(await listed({ Type: 'FROM_TIMESTAMP', Timestamp: new Date(created) })).to.deep.equal([0, 1, 2]);
    expect(await listed({ Type: 'FROM_TIMESTAMP', Timestamp: new Date(split + 1) })).to.deep.equal([1, 2]);
    nowMs += 24 * HOUR_MS;
    expect(await listed({ Type: 'AT_TRIM_HORIZON' })).to.deep.equal([1, 2]);
    expect(await listed({ Type: 'FROM_TRIM_HORIZON' })).to.deep.equal([1, 2]);
  });

  it('refuses single records of a call with the limits of the service on', async () => {
    await start({ limits: 'service' });
    const Records = Array.from({ length: 500 }, () => ({ PartitionKey: 'k', Data: Buffer.alloc(2_400) }));
    const { FailedRecordCount, Records: outcomes } = await client.send(
      new PutRecordsCommand({ StreamName: 's', Records }),
    );
    expect(FailedRecordCount).to.equal(outcomes!.filter((outcome) => outcome.ErrorCode !== undefined).length);
    expect(FailedRecordCount).to.equal(500 - Math.floor((1024 * 1024) / 2_401));
    expect(outcomes!.at(-1)!.ErrorCode).to.equal('ProvisionedThroughputExceededException');
  });

  it('gives five reads a second with the limits of the service on', async () => {
    await start({ limits: 'service' });
    const given = await iterator();
    for (let i = 0; i < 5; i += 1) await client.send(new GetRecordsCommand({ ShardIterator: given }));
    const refusal = await refusalOf(client.send(new GetRecordsCommand({ ShardIterator: given })));
    expect(refusal.name).to.equal('ProvisionedThroughputExceededException');
    nowMs += 200;
    await client.send(new GetRecordsCommand({ ShardIterator: given }));
  });

  it('stays CREATING and UPDATING for as long as it was told', async () => {
    await start({ createStreamMs: 500 });
    const status = async (): Promise<string | undefined> =>
      (await client.send(new DescribeStreamSummaryCommand({ StreamName: 's' }))).StreamDescriptionSummary
        ?.StreamStatus;
    expect(await status()).to.equal('CREATING');
    expect((await refusalOf(put('too soon'))).name).to.equal('ResourceNotFoundException');
    nowMs += 500;
    expect(await status()).to.equal('ACTIVE');
    const scale = { StreamName: 's', TargetShardCount: 2, ScalingType: 'UNIFORM_SCALING' } as const;
    await client.send(new UpdateShardCountCommand(scale));
    expect(await status()).to.equal('UPDATING');
    expect((await refusalOf(client.send(new UpdateShardCountCommand(scale)))).name).to.equal(
      'ResourceInUseException',
    );
    await put('goes on');
  });

  it('refuses records when its memory is full, and says what to do', async () => {
    await start({ memoryBytesMax: 16_000 });
    await put('x'.repeat(10_000));
    const { Records } = await client.send(
      new PutRecordsCommand({ StreamName: 's', Records: [{ PartitionKey: 'k', Data: Buffer.from('x') }] }),
    );
    expect(Records![0]!.ErrorCode).to.equal('InternalFailure');
    expect(Records![0]!.ErrorMessage).to.include('memoryBytesMax');
  });

  it('goes on where it was after a restart: shards, records, settings and iterators', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'weir-kinesis-'));
    try {
      await start({ dataDir }, 2);
      await put('one');
      await client.send(
        new UpdateShardCountCommand({ StreamName: 's', TargetShardCount: 4, ScalingType: 'UNIFORM_SCALING' }),
      );
      await put('two');
      const given = await iterator();
      const describe = async (): Promise<object | undefined> =>
        (await client.send(new DescribeStreamCommand({ StreamName: 's' }))).StreamDescription;
      const before = await describe();
      await kinesis.stop();
      kinesis = await startTestKinesis({ clock: { now: () => nowMs }, dataDir });
      client = kinesis.client;
      expect(await describe()).to.deep.equal(before);
      expect(await client.send(new GetRecordsCommand({ ShardIterator: given }))).to.have.property('Records');
      await put('three');
      const all: string[] = [];
      for (const shard of [0, 1, 2, 3, 4, 5]) {
        const page = await client.send(new GetRecordsCommand({ ShardIterator: await iterator(shard) }));
        all.push(
          ...page.Records!.map(
            (record) => `${Buffer.from(record.Data!).toString()} ${record.SequenceNumber}`,
          ),
        );
      }
      expect(
        all.toSorted((a, b) => (a.slice(-56) < b.slice(-56) ? -1 : 1)).map((line) => line.split(' ')[0]),
      ).to.deep.equal(['one', 'two', 'three']);
    } finally {
      rmSync(dataDir, { recursive: true });
    }
  });

  it('answers what it cannot read with the errors of the service', async () => {
    await start();
    const send = async (
      target: string,
      body: string,
      type = 'application/x-amz-json-1.1',
    ): Promise<string> => {
      const response = await fetch(kinesis.server.url, {
        method: 'POST',
        headers: { 'x-amz-target': target, 'content-type': type },
        body,
      });
      const { __type } = (await response.json()) as { __type: string };
      return `${response.status} ${__type}`;
    };
    expect(await send('Kinesis_20131202.Nothing', '{}')).to.equal('400 UnknownOperationException');
    expect(await send('Other.PutRecord', '{}')).to.equal('400 UnknownOperationException');
    expect(await send('Kinesis_20131202.PutRecord', '{')).to.equal('400 SerializationException');
    expect(await send('Kinesis_20131202.PutRecord', '[]')).to.equal('400 SerializationException');
    const notBase64 = JSON.stringify({ StreamName: 's', PartitionKey: 'k', Data: 'a"b=' });
    expect(await send('Kinesis_20131202.PutRecord', notBase64)).to.equal('400 SerializationException');
    expect(await texts()).to.deep.equal([]);
  });

  describe('with faults that were armed over HTTP', () => {
    it('fails single records of a PutRecords', async () => {
      const rolls = [0.9, 0.1, 0.9];
      await start({ random: () => rolls.shift() ?? 1 });
      const armed = await arm({ verb: 'throttle', operation: 'PutRecords', stream: 's', probability: 0.5 });
      expect(armed.status).to.equal(201);
      const Records = ['a', 'b', 'c'].map((text) => ({ PartitionKey: text, Data: Buffer.from(text) }));
      const { FailedRecordCount, Records: outcomes } = await client.send(
        new PutRecordsCommand({ StreamName: 's', Records }),
      );
      expect(FailedRecordCount).to.equal(1);
      expect(outcomes![1]!.ErrorCode).to.equal('ProvisionedThroughputExceededException');
      expect(await texts()).to.deep.equal(['a', 'c']);
    });

    it('cuts the connection before anything happened, or after everything did', async () => {
      await start();
      await arm([{ verb: 'drop-request', operation: 'PutRecord', count: 1 }]);
      await refusalOf(put('never'));
      expect(await texts()).to.deep.equal([]);
      await arm([{ verb: 'drop-response', operation: 'PutRecord', count: 1 }]);
      await refusalOf(put('written'));
      expect(await texts()).to.deep.equal(['written']);
    });

    it('cuts the connection in the middle of an answer', async () => {
      await start();
      await arm({ verb: 'cut-connection', operation: 'GetRecords', count: 1 });
      await refusalOf(texts());
      expect(await texts()).to.deep.equal([]);
    });

    it('expires iterators, throttles and delays', async () => {
      await start();
      const given = { ShardIterator: await iterator() };
      await arm({ verb: 'expire-iterators', shardId: shardId(0), count: 1 });
      expect((await refusalOf(client.send(new GetRecordsCommand(given)))).name).to.equal(
        'ExpiredIteratorException',
      );
      await arm({ verb: 'throttle', operation: 'GetRecords', count: 1 });
      expect((await refusalOf(client.send(new GetRecordsCommand(given)))).name).to.equal(
        'ProvisionedThroughputExceededException',
      );
      await arm({ verb: 'throttle', operation: 'ListShards', count: 1 });
      const list = client.send(new ListShardsCommand({ StreamName: 's' }));
      expect((await refusalOf(list)).name).to.equal('LimitExceededException');
      await arm({ verb: 'delay', delayMs: 1, count: 1 });
      await client.send(new GetRecordsCommand(given));
      expect(kinesis.server.faults.list().map((fault) => fault.struck)).to.deep.equal([1, 1, 1, 1]);
    });

    it('lists them, clears them and names every mistake', async () => {
      await start();
      const url = `${kinesis.server.url}/_weir/faults`;
      await arm([{ verb: 'throttle' }, { verb: 'delay' }]);
      const list = async (): Promise<unknown[]> =>
        ((await (await fetch(url)).json()) as { faults: unknown[] }).faults;
      expect(await list()).to.have.length(2);
      await fetch(`${url}/1`, { method: 'DELETE' });
      expect(await list()).to.deep.equal([{ verb: 'delay', id: '2', struck: 0 }]);
      await fetch(url, { method: 'DELETE' });
      expect(await list()).to.deep.equal([]);
      const refused = await arm({ verb: 'explode' });
      expect(refused.status).to.equal(400);
      expect(await refused.text()).to.include('throttle, drop-request');
    });
  });

  it('tells its health', async () => {
    await start();
    const health = (await (await fetch(`${kinesis.server.url}/_weir/health`)).json()) as object;
    expect(health).to.include({ status: 'ok', streams: 1 });
  });
});
