import { expect } from 'chai';
import { compareSequenceNumbers } from '../../../lib/streams/position.ts';
import { holesIn } from '../../support/hash-holes.ts';
import { firstShardId, entry, numbered, range, texts, sequenceOf, readToEnd, type Suite } from './support.ts';

export const shardEnds: Suite = (under, rule) => {
  rule(
    'ends a split shard after its last record, naming both children and their ranges',
    async () => {
      const { kinesis, createStream, split } = under();
      const stream = await createStream(1);
      await kinesis.put(stream, numbered(3));
      await split(stream, firstShardId);
      const { records, end } = await readToEnd(kinesis, stream, firstShardId);
      expect(texts(records)).to.deep.equal(range(0, 3));
      expect(end.childShards).to.have.length(2);
      expect(end.childShards.map((child) => child.parents)).to.deep.equal([[firstShardId], [firstShardId]]);
      expect(holesIn(end.childShards)).to.deep.equal([]);
    },
    'child-shards',
  );

  rule(
    'ends both parents of a merge with the same child, which names both',
    async () => {
      const { kinesis, createStream, merge } = under();
      const stream = await createStream(2);
      const [a, b] = (await kinesis.listShards(stream)).map((shard) => shard.shardId);
      await merge(stream, a!, b!);
      const ends = [await readToEnd(kinesis, stream, a!), await readToEnd(kinesis, stream, b!)];
      const children = ends.map(({ end }) => end.childShards.map((child) => child.shardId));
      expect(children[0]).to.have.length(1);
      expect(children[1]).to.deep.equal(children[0]);
      expect([...ends[0]!.end.childShards[0]!.parents].sort()).to.deep.equal([a, b]);
    },
    'child-shards',
  );

  rule(
    'puts what comes after a split into the children, with higher sequence numbers',
    async () => {
      const { kinesis, createStream, split } = under();
      const stream = await createStream(1);
      const [before] = await kinesis.put(stream, [entry('k', 'before')]);
      await split(stream, firstShardId);
      const [after] = await kinesis.put(stream, [entry('k', 'after')]);
      expect(after!.ok && after!.shardId).to.not.equal(firstShardId);
      const inOrder = compareSequenceNumbers(sequenceOf(before!), sequenceOf(after!)) < 0;
      expect(inOrder).to.equal(true);
    },
    'resharding',
  );
};
