import { expect } from 'chai';
import { type History, type Invariant, invariants, judge } from './checks.ts';
import type { WireItem, Write } from './lease-log.ts';
import type { Line } from './lines.ts';

const shard = { startingHashKey: '0', endingHashKey: '9', startingSequenceNumber: '1' };

function item(checkpoint: string, leaseOwner: string, more: WireItem = {}): WireItem {
  return {
    leaseKey: { S: 'parent' },
    leaseOwner: { S: leaseOwner },
    leaseCounter: { N: '1' },
    ownerSwitchesSinceCheckpoint: { N: '0' },
    checkpoint: { S: checkpoint },
    checkpointSubSequenceNumber: { N: '0' },
    ...more,
  };
}

function write(at: number, writer: string, before: WireItem | undefined, after: WireItem): Write {
  return { at, writer, leaseKey: 'parent', before, item: after };
}

const lines: readonly Line[] = [
  { at: 10, worker: 'a', event: 'begin', shard: 'parent', from: 'TRIM_HORIZON' },
  {
    at: 20,
    worker: 'a',
    event: 'batch',
    shard: 'parent',
    records: [
      ['k', '11'],
      ['k', '12'],
    ],
  },
  { at: 100, worker: 'b', event: 'begin', shard: 'parent', from: '12' },
  { at: 110, worker: 'b', event: 'batch', shard: 'parent', records: [['k', '13']] },
  { at: 120, worker: 'a', event: 'end', shard: 'parent', why: 'lost' },
];
const writes: readonly Write[] = [
  write(5, 'a', undefined, item('TRIM_HORIZON', 'a')),
  write(30, 'a', item('TRIM_HORIZON', 'a'), item('12', 'a')),
  write(90, 'b', item('12', 'a'), item('12', 'b')),
  write(115, 'b', item('12', 'b'), item('13', 'b')),
];
const sound: History = {
  failoverMs: 100,
  ours: new Set(['a']),
  shards: [
    { ...shard, shardId: 'parent', parents: [] },
    { ...shard, shardId: 'child', parents: ['parent'] },
  ],
  puts: ['11', '12', '13'].map((sequenceNumber) => ({
    shardId: 'parent',
    sequenceNumber,
    partitionKey: 'k',
  })),
  lines,
  writes,
  deaths: new Map(),
  window: { fromMs: 0, toMs: 1_000, ownedMs: 50 },
};

function broken(history: Partial<History>): readonly Invariant[] {
  const verdict = judge({ ...sound, ...history });
  return invariants.filter((invariant) => verdict[invariant].length > 0);
}

describe('the invariants of a mixed fleet', () => {
  it('hold in a plain history', () => {
    expect(broken({})).to.deep.equal([]);
  });

  it('I1 is broken by a record before the checkpoint that nobody was given', () => {
    expect(broken({ lines: lines.filter((line) => line.at !== 110) })).to.deep.equal(['I1']);
  });

  it('I2 is broken by a record that comes again, or late, within one acquisition', () => {
    const again: Line = { at: 111, worker: 'b', event: 'batch', shard: 'parent', records: [['k', '13']] };
    expect(broken({ lines: [...lines, again] })).to.deep.equal(['I2']);
  });

  it('I2 is broken by a child that is read before its parent has ended', () => {
    const early: Line = { at: 130, worker: 'b', event: 'batch', shard: 'child', records: [['k', '21']] };
    expect(broken({ lines: [...lines, early] })).to.include('I2');
  });

  it('I3 is broken by a checkpoint that goes back', () => {
    const back = write(140, 'b', item('13', 'b'), item('11', 'b'));
    expect(broken({ writes: [...writes, back] })).to.deep.equal(['I3']);
  });

  it('I5 is broken by a checkpoint from who was robbed', () => {
    const robbed = write(140, 'a', item('13', 'b'), item('14', 'b'));
    expect(broken({ writes: [...writes, robbed] })).to.deep.equal(['I5']);
  });

  it('I5 is broken by ours if it goes on delivering for longer than the failover time; Java is known to', () => {
    const late: Line = { at: 191, worker: 'a', event: 'batch', shard: 'parent', records: [['k', '13']] };
    expect(broken({ lines: [...lines, late] })).to.deep.equal(['I5']);
    expect(broken({ lines: [...lines, { ...late, at: 190 }] })).to.deep.equal([]);
    expect(broken({ lines: [...lines, late], ours: new Set() })).to.deep.equal([]);
  });

  it('I6 is broken by a dead reader whom nobody follows in time', () => {
    expect(broken({ deaths: new Map([['b', 900]]) })).to.deep.equal(['I6']);
    expect(broken({ deaths: new Map([['b', 960]]) })).to.deep.equal([]);
  });

  it('I7 is broken by an item that Java cannot read, and not by one of another kind', () => {
    const { ownerSwitchesSinceCheckpoint: _, ...lacking } = item('13', 'b');
    expect(broken({ writes: [...writes, write(150, 'b', item('13', 'b'), lacking)] })).to.deep.equal(['I7']);
    const metrics = { at: 1, writer: 'j', leaseKey: 'j', before: undefined };
    const foreign = { ...metrics, item: { leaseKey: { S: 'j' }, entityType: { S: 'WORKER_METRIC_STATS' } } };
    expect(broken({ writes: [...writes, foreign] })).to.deep.equal([]);
  });
});
