import { expect } from 'chai';
import { compareCheckpoints, parseCheckpoint } from '../../../lib/leases/checkpoint.ts';
import type { Checkpoint } from '../../../lib/leases/held-lease.ts';
import { formatItem, type Item, parseItem } from '../../../lib/leases/lease-item.ts';
import { sampleLease } from '../../support/leases.ts';

/** As KCL 3.5 leaves one in the middle of a shard. */
const javaItem: Item = {
  leaseKey: 'shardId-000000000007',
  leaseOwner: 'java-1',
  leaseCounter: 42,
  ownerSwitchesSinceCheckpoint: 0,
  checkpoint: '49590338271490256608559692538361571095921575989136588898',
  checkpointSubSequenceNumber: 3,
  parentShardId: new Set(['shardId-000000000001', 'shardId-000000000000']),
  startingHashKey: '0',
  endingHashKey: '340282366920938463463374607431768211455',
  throughputKBps: 12.345678,
  entityType: 'LEASE',
};

function lease(item: Item) {
  const parsed = parseItem(item);
  if (parsed.type !== 'lease') throw new Error(JSON.stringify(parsed));
  return parsed.lease;
}

describe('lease item', () => {
  it('reads what the Java KCL has written', () => {
    expect(lease(javaItem)).to.deep.equal(
      sampleLease({
        leaseKey: 'shardId-000000000007',
        shardId: 'shardId-000000000007',
        leaseOwner: 'java-1',
        counter: 42,
        checkpoint: {
          type: 'POSITION',
          sequenceNumber: '49590338271490256608559692538361571095921575989136588898',
          subSequenceNumber: 3,
        },
        parents: ['shardId-000000000000', 'shardId-000000000001'],
        hashRange: { start: '0', end: '340282366920938463463374607431768211455' },
        throughputKBps: 12.345678,
      }),
    );
  });

  it('reads an item of KCL 2, which has no entity type, hash range or throughput', () => {
    const { entityType, startingHashKey, endingHashKey, throughputKBps, ...old } = javaItem;
    expect(lease(old)).to.deep.include({ hashRange: undefined, throughputKBps: undefined, counter: 42 });
    expect([entityType, startingHashKey, endingHashKey, throughputKBps]).not.to.include(undefined);
  });

  it('gives back what it wrote', () => {
    const whole = sampleLease({
      leaseKey: '123:orders:1700000000:shard-1',
      streamId: '123:orders:1700000000',
      shardId: 'shard-1',
      leaseOwner: 'a',
      incarnation: 'a/1',
      counter: 4,
      checkpoint: { type: 'POSITION', sequenceNumber: '12', subSequenceNumber: 1 },
      parents: ['shard-0'],
      children: ['shard-2', 'shard-3'],
      hashRange: { start: '0', end: '7' },
      startAtMs: 1_700_000_000_000,
      state: { count: 1 },
      writeNonce: 'n',
    });
    expect(lease(formatItem(whole))).to.deep.equal(whole);
  });

  it('trusts saved state only where it was saved with the checkpoint that the item has', () => {
    const saved = { ...javaItem, state: { count: 7 } };
    const checkpoint = String(javaItem.checkpoint);
    expect(lease({ ...saved, stateCheckpoint: `${checkpoint}/3` }).state).to.deep.equal({ count: 7 });
    expect(lease({ ...saved, stateCheckpoint: `${checkpoint}/2` }).state).to.equal(undefined);
    expect(lease({ ...saved, stateCheckpoint: checkpoint }).state).to.equal(undefined);
    expect(lease(saved).state).to.equal(undefined);
  });

  it('trusts incarnation and offer only while the owner is the one they were written for', () => {
    const ours = { ...javaItem, leaseOwner: 'a', incarnation: 'a/1', offer: 'a' };
    expect(lease(ours)).to.include({ incarnation: 'a/1', offered: true });
    expect(lease({ ...ours, leaseOwner: 'java-1' })).to.include({ incarnation: undefined, offered: false });
    expect(lease({ ...ours, leaseOwner: 'a', checkpointOwner: 'b' })).to.include({
      offered: false,
      promised: true,
    });
    // During a hand-off the present owner is checkpointOwner.
    expect(lease({ ...ours, leaseOwner: 'b', checkpointOwner: 'a' }).incarnation).to.equal('a/1');
  });

  it('takes a lease for not taken up by Java while the counter is the one with which it was given', () => {
    const given = { ...javaItem, givenAt: 42 };
    expect(lease(given)).to.include({ counter: 42, given: true });
    expect(lease({ ...given, leaseCounter: 43 })).to.include({ given: false });
  });

  const foreign = ['LEADER', 'STREAM', 'WORKER_METRIC_STATS', 'CLIENT_VERSION_MIGRATION', 'TABLE_MIGRATION'];
  for (const entityType of foreign) {
    it(`sets an item of KCL 3's ${entityType} aside`, () => {
      const item = { leaseKey: 'x', entityType };
      expect(parseItem(item)).to.deep.equal({ type: 'foreign', leaseKey: 'x', entityType, item });
    });
  }

  const damaged: readonly (readonly [what: string, change: Item, problem: string])[] = [
    ['no counter', { leaseCounter: undefined }, 'leaseCounter is missing'],
    ['a counter that is a text', { leaseCounter: '42' }, 'leaseCounter is not a whole number from 0'],
    [
      'a counter beyond what a number can hold',
      { leaseCounter: 2 ** 60 },
      'leaseCounter is not a whole number from 0',
    ],
    [
      'no owner switches',
      { ownerSwitchesSinceCheckpoint: undefined },
      'ownerSwitchesSinceCheckpoint is missing',
    ],
    ['no checkpoint', { checkpoint: undefined }, 'checkpoint is missing'],
    [
      'a checkpoint that is none',
      { checkpoint: '12x' },
      'checkpoint "12x" is neither a sequence number nor a sentinel',
    ],
    ['an empty owner', { leaseOwner: '' }, 'leaseOwner is not a text'],
    ['parents as a list', { parentShardId: ['a'] }, 'parentShardId is not a set of texts'],
    [
      'a hash key that is no number',
      { startingHashKey: 'z' },
      'startingHashKey or endingHashKey is not a decimal number',
    ],
    [
      'a key of several streams without the stream',
      { leaseKey: '1:s:2:x' },
      'leaseKey, streamName and shardId do not agree',
    ],
    [
      'state that is a text',
      { state: 'x', stateCheckpoint: `${String(javaItem.checkpoint)}/3` },
      'state is not a map',
    ],
    [
      'a pending checkpoint that is none',
      { pendingCheckpoint: '?' },
      'pendingCheckpoint is not a checkpoint',
    ],
  ];
  for (const [what, change, problem] of damaged) {
    it(`sets an item with ${what} aside, and says so`, () => {
      const parsed = parseItem({ ...javaItem, ...change });
      expect(parsed.type).to.equal('malformed');
      expect(parsed.type === 'malformed' && parsed.problems).to.include(problem);
    });
  }
});

describe('checkpoint', () => {
  it('orders sentinels and positions as the Java KCL does', () => {
    const texts: readonly (readonly [string, number])[] = [
      ['AT_TIMESTAMP', 0],
      ['TRIM_HORIZON', 0],
      ['LATEST', 0],
      ['0', 0],
      ['9', 0],
      ['10', 0],
      ['10', 1],
      ['49590338271490256608559692538361571095921575989136588898', 0],
      ['SHARD_END', 0],
    ];
    const ordered = texts.map(([text, sub]) => parseCheckpoint(text, sub) as Checkpoint);
    for (const [i, a] of ordered.entries()) {
      for (const [j, b] of ordered.entries()) {
        expect(Math.sign(compareCheckpoints(a, b)), `${texts[i]?.[0]} and ${texts[j]?.[0]}`).to.equal(
          Math.sign(i - j),
        );
      }
    }
  });
});
