import {
  GetShardIteratorCommand,
  PutRecordCommand,
  PutRecordsCommand,
  StartStreamEncryptionCommand,
  type ShardIteratorType,
} from '@aws-sdk/client-kinesis';
import { expect } from 'chai';
import {
  active,
  invalid,
  iterator,
  newStream,
  put,
  read,
  shardId,
  shardsOf,
  textsIn,
  textsOf,
} from './support/kinesis-calls.ts';
import type { Rule } from './support/kinesis-peers.ts';
import { refusalName } from './support/peers.ts';

const MIB = 1024 * 1024;

const puts: readonly Rule[] = [
  {
    sentence: 'a record comes back with its bytes, its key and the time of its arrival',
    check: async (client) => {
      const StreamName = await newStream(client);
      const Data = Uint8Array.from({ length: 256 }, (_, i) => i);
      const before = Date.now();
      const { ShardId, SequenceNumber } = await client.send(
        new PutRecordCommand({ StreamName, PartitionKey: 'Schlüssel "1"\n\u{1F30A}', Data }),
      );
      expect(ShardId).to.equal(shardId(0));
      const from = await iterator(client, StreamName, { ShardIteratorType: 'TRIM_HORIZON' });
      const [record] = (await read(client, from)).Records!;
      expect(Buffer.compare(record!.Data!, Data)).to.equal(0);
      expect(record!.PartitionKey).to.equal('Schlüssel "1"\n\u{1F30A}');
      expect(record!.SequenceNumber).to.equal(SequenceNumber);
      expect(Math.abs(record!.ApproximateArrivalTimestamp!.getTime() - before)).to.be.lessThan(60_000);
    },
  },
  {
    sentence:
      'PutRecords answers for each record in the order given, with rising sequence numbers in a shard',
    check: async (client) => {
      const StreamName = await newStream(client);
      const texts = Array.from({ length: 50 }, (_, i) => `record ${i}`);
      const outcomes = await put(client, StreamName, texts);
      const numbers = outcomes.map((outcome) => BigInt(outcome.SequenceNumber!));
      expect(numbers).to.deep.equal(numbers.toSorted((a, b) => (a < b ? -1 : 1)));
      expect(new Set(numbers)).to.have.property('size', 50);
      expect(await textsIn(client, StreamName)).to.deep.equal(texts);
    },
  },
  {
    sentence: 'a record goes to the shard whose range holds the MD5 of its partition key',
    check: async (client) => {
      const StreamName = await newStream(client, 2);
      // MD5('a') = 0cc1…, MD5('b') = 92eb…: one below the middle of the hash keys, one above.
      const outcomes = await put(client, StreamName, ['a', 'b', 'a']);
      expect(outcomes.map((outcome) => outcome.ShardId)).to.deep.equal([shardId(0), shardId(1), shardId(0)]);
    },
  },
  {
    sentence: 'an explicit hash key wins over the partition key',
    check: async (client) => {
      const StreamName = await newStream(client, 2);
      const last = (2n ** 128n - 1n).toString();
      const [low] = await put(client, StreamName, ['b'], { ExplicitHashKey: '0' });
      const [high] = await put(client, StreamName, ['a'], { ExplicitHashKey: last });
      expect([low!.ShardId, high!.ShardId]).to.deep.equal([shardId(0), shardId(1)]);
    },
  },
  {
    sentence: 'an explicit hash key beyond 2^128 − 1 is refused',
    check: async (client) => {
      const StreamName = await newStream(client);
      const beyond = put(client, StreamName, ['a'], { ExplicitHashKey: (2n ** 128n).toString() });
      expect(invalid).to.include(await refusalName(beyond));
    },
  },
  {
    sentence: 'a sequence number for ordering is taken from this stream and refused from elsewhere',
    check: async (client) => {
      const StreamName = await newStream(client);
      const [before] = await put(client, StreamName, ['one']);
      const next = (SequenceNumberForOrdering: string) =>
        client.send(
          new PutRecordCommand({
            StreamName,
            PartitionKey: 'one',
            Data: Buffer.from('x'),
            SequenceNumberForOrdering,
          }),
        );
      const { SequenceNumber } = await next(before!.SequenceNumber!);
      expect(BigInt(SequenceNumber!) > BigInt(before!.SequenceNumber!)).to.equal(true);
      expect(await refusalName(next('1'))).to.equal('InvalidArgumentException');
    },
  },
  {
    sentence: 'more than 500 records in a call are refused as invalid',
    check: async (client) => {
      const StreamName = await newStream(client);
      const most = Array.from({ length: 500 }, (_, i) => String(i));
      expect(await put(client, StreamName, most)).to.have.length(500);
      expect(invalid).to.include(await refusalName(put(client, StreamName, [...most, 'more'])));
    },
  },
  {
    sentence: 'no record in a call is refused as invalid',
    check: async (client) => {
      expect(invalid).to.include(await refusalName(put(client, await newStream(client), [])));
    },
  },
  {
    sentence: 'more than 10 MiB in a call are refused',
    check: async (client) => {
      const StreamName = await newStream(client);
      const Records = Array.from({ length: 11 }, (_, i) => ({
        PartitionKey: `${i}`,
        Data: Buffer.alloc(MIB - 8),
      }));
      expect(invalid).to.include(
        await refusalName(client.send(new PutRecordsCommand({ StreamName, Records }))),
      );
    },
  },
  {
    sentence: 'data and partition key of more than 1 MiB together are refused, and 1 MiB is taken',
    check: async (client) => {
      const StreamName = await newStream(client);
      const record = (bytes: number) => ({ StreamName, PartitionKey: 'k', Data: Buffer.alloc(bytes) });
      await client.send(new PutRecordCommand(record(MIB - 1)));
      const larger = client.send(new PutRecordCommand(record(MIB)));
      expect(invalid).to.include(await refusalName(larger));
    },
  },
  {
    sentence: 'a partition key has 1 to 256 characters, or it is refused as invalid',
    check: async (client) => {
      const StreamName = await newStream(client);
      const keyed = (PartitionKey: string) =>
        client.send(new PutRecordCommand({ StreamName, PartitionKey, Data: Buffer.from('x') }));
      await keyed('k'.repeat(256));
      expect(invalid).to.include(await refusalName(keyed('k'.repeat(257))));
      expect(invalid).to.include(await refusalName(keyed('')));
    },
  },
  {
    sentence: 'records of an encrypted stream say so',
    check: async (client) => {
      const StreamName = await newStream(client);
      const KeyId = 'alias/aws/kinesis';
      await client.send(new StartStreamEncryptionCommand({ StreamName, EncryptionType: 'KMS', KeyId }));
      await active(client, StreamName);
      const put1 = { StreamName, PartitionKey: 'k', Data: Buffer.from('x') };
      expect((await client.send(new PutRecordCommand(put1))).EncryptionType).to.equal('KMS');
      const from = await iterator(client, StreamName, { ShardIteratorType: 'TRIM_HORIZON' });
      expect((await read(client, from)).Records![0]!.EncryptionType).to.equal('KMS');
    },
  },
];

const reads: readonly Rule[] = [
  {
    sentence: 'iterators start at the beginning, at a record, after it, at a time, or at the tip',
    check: async (client) => {
      const StreamName = await newStream(client);
      const [one] = await put(client, StreamName, ['one']);
      await put(client, StreamName, ['two']);
      const StartingSequenceNumber = one!.SequenceNumber!;
      const from = async (ShardIteratorType: ShardIteratorType, more: object = {}): Promise<string[]> =>
        textsOf(await read(client, await iterator(client, StreamName, { ShardIteratorType, ...more })));
      expect(await from('TRIM_HORIZON')).to.deep.equal(['one', 'two']);
      expect(await from('AT_SEQUENCE_NUMBER', { StartingSequenceNumber })).to.deep.equal(['one', 'two']);
      expect(await from('AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber })).to.deep.equal(['two']);
      expect(await from('AT_TIMESTAMP', { Timestamp: new Date(Date.now() - 60_000) })).to.deep.equal([
        'one',
        'two',
      ]);
      const latest = await iterator(client, StreamName, { ShardIteratorType: 'LATEST' });
      expect(textsOf(await read(client, latest))).to.deep.equal([]);
      await put(client, StreamName, ['three']);
      expect(textsOf(await read(client, latest))).to.deep.equal(['three']);
    },
  },
  {
    sentence: 'an iterator AT_ or AFTER_ a sequence number without one is an InvalidArgumentException',
    check: async (client) => {
      const StreamName = await newStream(client);
      const without = iterator(client, StreamName, { ShardIteratorType: 'AT_SEQUENCE_NUMBER' });
      expect(await refusalName(without)).to.equal('InvalidArgumentException');
    },
  },
  {
    sentence: 'an iterator at a sequence number that is not of the stream is an InvalidArgumentException',
    check: async (client) => {
      const StreamName = await newStream(client);
      const foreign = { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: '123' } as const;
      expect(await refusalName(iterator(client, StreamName, foreign))).to.equal('InvalidArgumentException');
    },
  },
  {
    sentence: 'an iterator of a shard that is not there is a ResourceNotFoundException',
    check: async (client) => {
      const StreamName = await newStream(client);
      const wrong = client.send(
        new GetShardIteratorCommand({ StreamName, ShardId: shardId(7), ShardIteratorType: 'LATEST' }),
      );
      expect(await refusalName(wrong)).to.equal('ResourceNotFoundException');
    },
  },
  {
    sentence: 'an iterator that the service did not make is an InvalidArgumentException',
    check: async (client) => {
      expect(await refusalName(read(client, 'AAAAAAAAAAGf9n6m'))).to.equal('InvalidArgumentException');
    },
  },
  {
    sentence: 'a page has as many records as the limit, and the next iterator goes on behind them',
    check: async (client) => {
      const StreamName = await newStream(client);
      await put(client, StreamName, ['a', 'b', 'c']);
      const first = await read(
        client,
        await iterator(client, StreamName, { ShardIteratorType: 'TRIM_HORIZON' }),
        2,
      );
      expect(textsOf(first)).to.deep.equal(['a', 'b']);
      const second = await read(client, first.NextShardIterator!, 2);
      expect(textsOf(second)).to.deep.equal(['c']);
      expect(textsOf(await read(client, second.NextShardIterator!))).to.deep.equal([]);
    },
  },
  {
    sentence: 'the limit of a page is 1 to 10,000, or it is refused as invalid',
    check: async (client) => {
      const from = await iterator(client, await newStream(client), { ShardIteratorType: 'LATEST' });
      await read(client, from, 10_000);
      expect(invalid).to.include(await refusalName(read(client, from, 0)));
      expect(invalid).to.include(await refusalName(read(client, from, 10_001)));
    },
  },
  {
    sentence: 'a page tells how far it is behind the tip: more than 0 in the middle, 0 at the end',
    check: async (client) => {
      const StreamName = await newStream(client);
      await put(client, StreamName, ['a']);
      // The milliseconds between the two are what there is to be behind.
      const { Records } = await read(
        client,
        await iterator(client, StreamName, { ShardIteratorType: 'TRIM_HORIZON' }),
      );
      while (Date.now() - Records![0]!.ApproximateArrivalTimestamp!.getTime() < 50);
      await put(client, StreamName, ['b']);
      const first = await read(
        client,
        await iterator(client, StreamName, { ShardIteratorType: 'TRIM_HORIZON' }),
        1,
      );
      expect(first.MillisBehindLatest).to.be.greaterThan(0);
      expect((await read(client, first.NextShardIterator!)).MillisBehindLatest).to.equal(0);
    },
  },
  {
    sentence: 'a page has at most 10 MiB of data',
    check: async (client) => {
      const StreamName = await newStream(client);
      const Records = [1, 2, 3, 4].map((i) => ({ PartitionKey: `${i}`, Data: Buffer.alloc(MIB - 8) }));
      for (const _ of [1, 2, 3]) await client.send(new PutRecordsCommand({ StreamName, Records }));
      const first = await read(
        client,
        await iterator(client, StreamName, { ShardIteratorType: 'TRIM_HORIZON' }),
      );
      expect(first.Records).to.have.length.within(9, 10);
      const second = await read(client, first.NextShardIterator!);
      expect(first.Records!.length + second.Records!.length).to.equal(12);
    },
  },
  {
    sentence: 'reading from the StartingSequenceNumber of a shard begins with its first record',
    check: async (client) => {
      const StreamName = await newStream(client);
      await put(client, StreamName, ['first']);
      const [shard] = await shardsOf(client, StreamName);
      const StartingSequenceNumber = shard!.SequenceNumberRange!.StartingSequenceNumber;
      const at = { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber } as const;
      expect(textsOf(await read(client, await iterator(client, StreamName, at)))).to.deep.equal(['first']);
    },
  },
];

export const recordRules: readonly Rule[] = [...puts, ...reads];
