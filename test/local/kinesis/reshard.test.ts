import { expect } from 'chai';
import fc from 'fast-check';
import { HASH_KEYS, uniformRanges } from '../../../local/kinesis/storage/hash-keys.ts';
import { openShards, scaleUniformly } from '../../../local/kinesis/storage/reshard.ts';
import {
  createState,
  mergeShards,
  splitShard,
  withoutExpiredShards,
  type ShardState,
  type StreamState,
} from '../../../local/kinesis/storage/stream-state.ts';

function stream(shardCount: number): StreamState {
  return createState({
    name: 's',
    arn: 'arn',
    createdAtMs: 1,
    mode: 'PROVISIONED',
    shardCount,
    maxRecordBytes: 1,
    tags: {},
    activeAtMs: 1,
  });
}

function ranges(state: StreamState): { start: bigint; end: bigint }[] {
  return openShards(state)
    .map((shard) => ({ start: BigInt(shard.startKey), end: BigInt(shard.endKey) }))
    .toSorted((a, b) => (a.start < b.start ? -1 : 1));
}

function covers(state: StreamState): boolean {
  const open = ranges(state);
  const touch = open.every((range, i) => i === 0 || range.start === (open[i - 1]?.end ?? 0n) + 1n);
  return touch && open[0]?.start === 0n && open.at(-1)?.end === HASH_KEYS - 1n;
}

function parentsEndBefore(state: StreamState): boolean {
  const byIndex = new Map(state.shards.map((shard): [number, ShardState] => [shard.index, shard]));
  return state.shards.every((shard) =>
    shard.parents.every((parent) => (byIndex.get(parent)?.closed?.counter ?? Infinity) < shard.startCounter),
  );
}

describe('uniform scaling', () => {
  it('ends with equal ranges over all keys, from any count to any other', () => {
    const count = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(count, count, (from, to) => {
        const state = scaleUniformly(stream(from), to, 2);
        expect(ranges(state)).to.deep.equal(uniformRanges(to));
        expect(parentsEndBefore(state)).to.equal(true);
      }),
    );
  });

  it('doubles by one split and halves by one merge of each shard', () => {
    const doubled = scaleUniformly(stream(3), 6, 2);
    expect(doubled.shards.slice(3).map((shard) => shard.parents)).to.deep.equal([
      [0],
      [0],
      [1],
      [1],
      [2],
      [2],
    ]);
    const halved = scaleUniformly(stream(4), 2, 2);
    expect(halved.shards.slice(4).map((shard) => shard.parents)).to.deep.equal([
      [0, 1],
      [2, 3],
    ]);
  });

  it('changes nothing when the shards are as wanted', () => {
    const state = stream(5);
    expect(scaleUniformly(state, 5, 2)).to.equal(state);
  });
});

describe('splits and merges', () => {
  it('keep all keys covered and children above their parents, in any order', () => {
    const step = fc.record({
      split: fc.boolean(),
      pick: fc.nat(),
      at: fc.bigInt({ min: 0n, max: HASH_KEYS }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 20 }), (count, steps) => {
        const state = steps.reduce(apply, stream(count));
        expect(covers(state)).to.equal(true);
        expect(parentsEndBefore(state)).to.equal(true);
      }),
    );
  });
});

describe('a closed shard', () => {
  it('is listed until its last record has expired, and its id does not come back', () => {
    const split = scaleUniformly(stream(1), 2, 1_000);
    const day = 24 * 3_600_000;
    expect(withoutExpiredShards(split, 1_000 + day).shards).to.have.length(3);
    const later = withoutExpiredShards(split, 1_001 + day);
    expect(later.shards.map((shard) => shard.index)).to.deep.equal([1, 2]);
    expect(scaleUniformly(later, 1, 1_002 + day).shards.at(-1)?.index).to.equal(3);
  });
});

function apply(state: StreamState, step: { split: boolean; pick: number; at: bigint }): StreamState {
  const open = openShards(state).toSorted((a, b) => (BigInt(a.startKey) < BigInt(b.startKey) ? -1 : 1));
  const i = step.pick % open.length;
  const shard = open[i]!;
  const start = BigInt(shard.startKey);
  const size = BigInt(shard.endKey) - start;
  if (step.split) return size === 0n ? state : splitShard(state, shard, start + 1n + (step.at % size), 2);
  const next = open[i + 1];
  return next ? mergeShards(state, shard, next, 2) : state;
}
