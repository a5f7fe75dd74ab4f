import { expect } from 'chai';
import type { Shard } from '../../../lib/streams/kinesis.ts';
import type { Lease } from '../../../lib/leases/lease.ts';
import {
  hashRangeHoles,
  missingLeases,
  removableLeases,
  supersededLeases,
} from '../../../lib/leases/shard-sync.ts';
import type { InitialPosition, StreamLeases } from '../../../lib/leases/stream-leases.ts';
import { sampleLease } from '../../support/leases.ts';

function shard(shardId: string, parents: readonly string[] = [], open = true): Shard {
  return {
    shardId,
    parents,
    startingHashKey: '0',
    endingHashKey: '9',
    startingSequenceNumber: String(10_000 + Number(shardId)),
    ...(open ? {} : { endingSequenceNumber: '9999' }),
  };
}

/** 0…5 at the beginning; 0+1 → 6, 2+3 → 7, 6+7 → 8, 5 → 9 and 10. Open: 4, 8, 9, 10. */
const family: readonly Shard[] = [
  ...['0', '1', '2', '3', '5'].map((id) => shard(id, [], false)),
  shard('4'),
  shard('6', ['0', '1'], false),
  shard('7', ['2', '3'], false),
  shard('8', ['6', '7']),
  shard('9', ['5']),
  shard('10', ['5']),
];

function stream(initial: InitialPosition): StreamLeases {
  return { name: 's', streamId: undefined, initial };
}

function lease(shardId: string, over: Partial<Lease> = {}): Lease {
  return sampleLease({ leaseKey: shardId, shardId, ...over });
}

const end = { type: 'SHARD_END' } as const;
const read = { type: 'POSITION', sequenceNumber: '5', subSequenceNumber: 0 } as const;
const trimHorizon = stream({ type: 'TRIM_HORIZON' });
const latest = stream({ type: 'LATEST' });
const atTime = stream({ type: 'AT_TIMESTAMP', timestampMs: 77 });
const nowMs = 10_000;

function missing(of: StreamLeases, leases: readonly Lease[], shards = family): string[] {
  return missingLeases({ stream: of, shards, leases, nowMs }).map(
    ({ shardId, checkpoint, startAtMs }) =>
      `${shardId} ${checkpoint.type}${startAtMs === undefined ? '' : ` ${startAtMs}`}`,
  );
}

describe('missing leases', () => {
  const cases: readonly (readonly [
    rule: string,
    of: StreamLeases,
    leases: readonly Lease[],
    expected: readonly string[],
  ])[] = [
    [
      'at TRIM_HORIZON a fresh table gets the oldest shards; their descendants come when they end',
      trimHorizon,
      [],
      [
        '0 TRIM_HORIZON',
        '1 TRIM_HORIZON',
        '2 TRIM_HORIZON',
        '3 TRIM_HORIZON',
        '4 TRIM_HORIZON',
        '5 TRIM_HORIZON',
      ],
    ],
    [
      'at LATEST it gets the open shards, pinned',
      latest,
      [],
      ['4 LATEST 9000', '8 LATEST 9000', '9 LATEST 9000', '10 LATEST 9000'],
    ],
    [
      'a pin that was set before holds for all',
      latest,
      [lease('4', { startAtMs: 123 })],
      ['8 LATEST 123', '9 LATEST 123', '10 LATEST 123'],
    ],
    [
      'AT_TIMESTAMP begins with the oldest too, at the time',
      atTime,
      [],
      [
        '0 AT_TIMESTAMP 77',
        '1 AT_TIMESTAMP 77',
        '2 AT_TIMESTAMP 77',
        '3 AT_TIMESTAMP 77',
        '4 AT_TIMESTAMP 77',
        '5 AT_TIMESTAMP 77',
      ],
    ],
    // The example of the KCL's own tests: leases 4, 5 and 7.
    [
      'the lacking parents of a merged shard, TRIM_HORIZON',
      trimHorizon,
      [lease('4'), lease('5'), lease('7')],
      ['0 TRIM_HORIZON', '1 TRIM_HORIZON'],
    ],
    [
      'the lacking parent of a merged shard, LATEST',
      latest,
      [lease('4', { startAtMs: 5 }), lease('5'), lease('7')],
      ['6 LATEST 5'],
    ],
    [
      'nothing below a shard that is being read',
      trimHorizon,
      ['0', '1', '2', '3', '4', '5'].map((id) => lease(id)),
      [],
    ],
    [
      'the child of a shard that has ended, if whoever ended it died',
      trimHorizon,
      ['0', '1', '2', '3', '5'].map((id) => lease(id, { checkpoint: end })).concat(lease('4'), lease('9')),
      ['6 TRIM_HORIZON', '7 TRIM_HORIZON', '10 TRIM_HORIZON'],
    ],
    [
      'a merged shard only when both parents have ended',
      trimHorizon,
      [
        lease('4'),
        lease('9'),
        lease('10'),
        lease('6', { checkpoint: end }),
        lease('7', { checkpoint: read }),
      ],
      [],
    ],
    [
      'a merged shard whose other parent is gone from the stream',
      trimHorizon,
      [lease('4'), lease('9'), lease('10'), lease('6', { checkpoint: end })],
      ['8 TRIM_HORIZON'],
    ],
  ];
  for (const [rule, of, leases, expected] of cases) {
    it(rule, () => {
      const gone = rule.includes('gone from the stream');
      const shards = gone
        ? family.filter(({ shardId }) => !['0', '1', '2', '3', '7'].includes(shardId))
        : family;
      expect(missing(of, leases, shards)).to.deep.equal(expected);
    });
  }

  it('survives a stream that was resharded thousands of times', () => {
    const shards = Array.from({ length: 3_000 }, (_, i) =>
      shard(String(i), i < 2 ? [] : [String(i - 1), String(i - 2)], i === 2_999),
    );
    expect(missing(latest, [], shards)).to.deep.equal(['2999 LATEST 9000']);
    expect(missing(trimHorizon, [], shards)).to.deep.equal(['0 TRIM_HORIZON', '1 TRIM_HORIZON']);
  });
});

describe('removable leases', () => {
  const ids = (shards: readonly Shard[], leases: readonly Lease[]): string[] =>
    removableLeases(shards, leases).map(({ shardId }) => shardId);
  const ended = lease('5', { checkpoint: end, children: ['9', '10'] });

  it('are those whose children have all been read from', () => {
    expect(
      ids(family, [ended, lease('9', { checkpoint: read }), lease('10', { checkpoint: end })]),
    ).to.deep.equal(['5']);
    expect(ids(family, [ended, lease('9', { checkpoint: read }), lease('10')])).to.deep.equal([]);
  });

  it('are not those whose child has no lease yet', () => {
    expect(ids(family, [ended, lease('9', { checkpoint: read })])).to.deep.equal([]);
  });

  it('wait for their parents to be removed first', () => {
    const parent = lease('0', { checkpoint: end, children: ['6'] });
    const child = lease('6', { checkpoint: end, parents: ['0', '1'], children: ['8'] });
    expect(ids(family, [parent, child, lease('8', { checkpoint: read })])).to.deep.equal(['0']);
    expect(ids(family, [child, lease('8', { checkpoint: read })])).to.deep.equal(['6']);
  });

  it('are those of ended shards that the stream has forgotten, children and all', () => {
    expect(ids([shard('4')], [ended])).to.deep.equal(['5']);
    expect(ids([shard('4')], [lease('5', { checkpoint: read })])).to.deep.equal([]);
  });

  it('are not those of a shard of which nobody said what its children are', () => {
    expect(ids([shard('5', [], false)], [lease('5', { checkpoint: end })])).to.deep.equal([]);
  });
});

describe('superseded leases', () => {
  const ids = (leases: readonly Lease[]): string[] => supersededLeases(leases).map(({ shardId }) => shardId);
  const ended = lease('5', { checkpoint: end, children: ['9', '10'] });
  const children = [lease('9', { checkpoint: read }), lease('10', { checkpoint: end })];

  it('are finished ones whose children, all of those that they name, have been read from', () => {
    expect(ids([ended, ...children])).to.deep.equal(['5']);
    expect(ids([ended, lease('9', { checkpoint: read }), lease('10')])).to.deep.equal([]);
    expect(ids([ended, lease('9', { checkpoint: read })])).to.deep.equal([]);
    expect(ids([{ ...ended, children: [] }, ...children])).to.deep.equal([]);
    expect(ids([{ ...ended, checkpoint: read }, ...children])).to.deep.equal([]);
  });

  it('wait for their parents to be removed first', () => {
    const parent = lease('0', { checkpoint: end, children: ['5'] });
    const child = { ...ended, parents: ['0'] };
    expect(ids([parent, child, ...children])).to.deep.equal(['0']);
  });
});

describe('holes in the hash range', () => {
  const last = String(2n ** 128n - 1n);
  const ranged = (shardId: string, start: string, e: string, over: Partial<Lease> = {}): Lease =>
    lease(shardId, { hashRange: { start, end: e }, ...over });

  it('are none where unfinished leases cover it, overlapping or not', () => {
    expect(hashRangeHoles([], [ranged('a', '0', '99'), ranged('b', '50', last)])).to.deep.equal([]);
  });

  it('are what no unfinished lease covers', () => {
    const leases = [
      ranged('a', '1', '9'),
      ranged('b', '20', '29'),
      ranged('c', '30', last, { checkpoint: end }),
    ];
    expect(hashRangeHoles([], leases)).to.deep.equal([
      { start: '0', end: '0' },
      { start: '10', end: '19' },
      { start: '30', end: last },
    ]);
  });

  it('are judged by the shard where an old Java worker left no range', () => {
    const whole = { ...shard('7'), endingHashKey: last };
    expect(hashRangeHoles([whole], [lease('7')])).to.deep.equal([]);
  });
});
