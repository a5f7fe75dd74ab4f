import { expect } from 'chai';
import { holesIn } from '../../support/hash-holes.ts';
import { codeOf, entry, firstShardId, readAll, type Suite } from './support.ts';

export const streams: Suite = (under, rule) => {
  rule('describes a stream: name, ARN, account, retention, open shards', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(2);
    const description = await kinesis.describe(stream);
    expect(description).to.include({ name: stream, openShards: 2, status: 'ACTIVE', retentionHours: 24 });
    expect(description.arn).to.match(new RegExp(`:${description.accountId}:stream/${stream}$`));
    expect(description.maxRecordBytes).to.be.at.least(1_048_576);
  });

  rule('tells the service’s time, by which a record that is put next is no older', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    const { createdAtMs, nowMs } = await kinesis.describe(stream);
    await kinesis.put(stream, [entry('a', 'x')]);
    const [record] = await readAll(kinesis, stream, firstShardId);
    expect(nowMs).to.be.within(createdAtMs - 1_000, record!.arrivedAtMs);
  });

  rule('says stream-not-found for a stream that is not there', async () => {
    const { kinesis } = under();
    expect(await codeOf(kinesis.describe('no-such-stream'))).to.equal('stream-not-found');
    expect(await codeOf(kinesis.put('no-such-stream', [entry('a', 'x')]))).to.equal('stream-not-found');
  });

  rule('lists shards that cover every hash key once', async () => {
    const { kinesis, createStream } = under();
    const shards = await kinesis.listShards(await createStream(3));
    expect(shards).to.have.length(3);
    expect(holesIn(shards)).to.deep.equal([]);
    const widths = shards.map((shard) => BigInt(shard.endingHashKey) - BigInt(shard.startingHashKey) + 1n);
    expect(widths.reduce((sum, width) => sum + width, 0n)).to.equal(1n << 128n);
  });

  rule(
    'filters shards: AT_LATEST the open ones, AFTER_SHARD_ID the later ones, FROM_TRIM_HORIZON all',
    async () => {
      const { kinesis, createStream, split } = under();
      const stream = await createStream(1);
      const [parent] = await kinesis.listShards(stream);
      await split(stream, parent!.shardId);
      const all = await kinesis.listShards(stream, { type: 'FROM_TRIM_HORIZON' });
      expect(all).to.have.length(3);
      const open = await kinesis.listShards(stream, { type: 'AT_LATEST' });
      expect(open.map((shard) => shard.parents)).to.deep.equal([[parent!.shardId], [parent!.shardId]]);
      const later = await kinesis.listShards(stream, { type: 'AFTER_SHARD_ID', shardId: parent!.shardId });
      expect(later.map((shard) => shard.shardId)).to.deep.equal(open.map((shard) => shard.shardId));
    },
    'shard-filter',
  );

  rule('rejects with the reason of an aborted signal', async () => {
    const { kinesis, createStream } = under();
    const reason = new Error('no longer wanted');
    const call = kinesis.listShards(await createStream(1), undefined, AbortSignal.abort(reason));
    expect(await call.catch((error: unknown) => error)).to.equal(reason);
  });
};
