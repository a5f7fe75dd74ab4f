import { expect } from 'chai';
import type { ReadFrom } from '../../../lib/streams/kinesis.ts';
import {
  firstShardId,
  entry,
  numbered,
  range,
  texts,
  readAll,
  readOn,
  codeOf,
  type Suite,
} from './support.ts';

export const reads: Suite = (under, rule) => {
  rule('reads from TRIM_HORIZON in pages of at most the limit', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    await kinesis.put(stream, numbered(25));
    const iterator = await kinesis.iterator(stream, firstShardId, { type: 'TRIM_HORIZON' });
    const first = await kinesis.read(stream, iterator, 10);
    expect(texts(first.records)).to.deep.equal(range(0, 10));
    const rest = await readOn(kinesis, stream, first.nextIterator!);
    expect(texts(rest)).to.deep.equal(range(10, 25));
  });

  rule('tells how far behind the tip a page ends: 0 at the tip', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    await kinesis.put(stream, numbered(2));
    const iterator = await kinesis.iterator(stream, firstShardId, { type: 'TRIM_HORIZON' });
    const first = await kinesis.read(stream, iterator, 1);
    const second = await kinesis.read(stream, first.nextIterator!, 1);
    expect(second.millisBehindLatest).to.equal(0);
  });

  rule('LATEST gives only what is put afterwards', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    await kinesis.put(stream, [entry('a', 'before')]);
    const iterator = await kinesis.iterator(stream, firstShardId, { type: 'LATEST' });
    await kinesis.put(stream, [entry('a', 'after')]);
    expect(texts(await readOn(kinesis, stream, iterator))).to.deep.equal(['after']);
  });

  rule('AT a sequence number includes its record, AFTER does not', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    const [, second] = await kinesis.put(stream, numbered(3));
    const sequenceNumber = second!.ok ? second!.sequenceNumber : '';
    const at = await readAll(kinesis, stream, firstShardId, { type: 'AT_SEQUENCE_NUMBER', sequenceNumber });
    const after = await readAll(kinesis, stream, firstShardId, {
      type: 'AFTER_SEQUENCE_NUMBER',
      sequenceNumber,
    });
    expect([texts(at), texts(after)]).to.deep.equal([['1', '2'], ['2']]);
  });

  rule('AT_TIMESTAMP begins with the first record that arrived then or later', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    await kinesis.put(stream, numbered(3));
    const [first] = await readAll(kinesis, stream, firstShardId);
    const from: ReadFrom = { type: 'AT_TIMESTAMP', timestampMs: first!.arrivedAtMs };
    expect(texts(await readAll(kinesis, stream, firstShardId, from))).to.deep.equal(range(0, 3));
  });

  rule('says shard-not-found for a shard that is not there', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    const call = kinesis.iterator(stream, 'shardId-000000000099', { type: 'TRIM_HORIZON' });
    expect(await codeOf(call)).to.equal('shard-not-found');
  });

  rule(
    'says invalid-position for a sequence number that is not one of the shard',
    async () => {
      const { kinesis, createStream } = under();
      const stream = await createStream(1);
      const from: ReadFrom = { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: '9'.repeat(57) };
      expect(await codeOf(kinesis.iterator(stream, firstShardId, from))).to.equal('invalid-position');
    },
    'bad-position',
  );
};
