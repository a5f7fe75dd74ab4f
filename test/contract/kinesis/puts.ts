import { expect } from 'chai';
import { compareSequenceNumbers } from '../../../lib/streams/position.ts';
import { firstShardId, entry, numbered, readAll, codeOf, type Suite } from './support.ts';

export const puts: Suite = (under, rule) => {
  rule('answers a put per entry, in order, with rising sequence numbers per shard', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    const outcomes = await kinesis.put(stream, numbered(20));
    const sequences = outcomes.map((outcome) => (outcome.ok ? outcome.sequenceNumber : 'refused'));
    expect([...sequences].sort(compareSequenceNumbers)).to.deep.equal(sequences);
    expect(new Set(sequences).size).to.equal(20);
    const records = await readAll(kinesis, stream, firstShardId);
    expect(records.map((record) => record.sequenceNumber)).to.deep.equal(sequences);
  });

  rule(
    'sends a record to the shard of its hash key; an explicit one wins over the partition key',
    async () => {
      const { kinesis, createStream } = under();
      const stream = await createStream(4);
      const shards = await kinesis.listShards(stream);
      const outcomes = await kinesis.put(
        stream,
        shards.map((shard) => ({ ...entry('same key', 'x'), explicitHashKey: shard.endingHashKey })),
      );
      const taken = outcomes.map((outcome) => outcome.ok && outcome.shardId);
      expect(taken).to.deep.equal(shards.map((shard) => shard.shardId));
    },
    'explicit-hash-key',
  );

  rule('keeps bytes, partition keys and an arrival time', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    const data = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    await kinesis.put(stream, [{ partitionKey: 'Zürich ✓', data }]);
    const [record] = await readAll(kinesis, stream, firstShardId);
    expect([...record!.data]).to.deep.equal([...data]);
    expect(record!.partitionKey).to.equal('Zürich ✓');
    expect(record!.arrivedAtMs).to.be.greaterThan(1_500_000_000_000);
  });

  rule('refuses a call of more than 500 records or with a record that is too large', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    expect(await codeOf(kinesis.put(stream, numbered(501)))).to.equal('invalid-argument');
    const large = [{ partitionKey: 'a', data: new Uint8Array(11 * 1_048_576) }];
    expect(await codeOf(kinesis.put(stream, large))).to.equal('invalid-argument');
  });
};
