import { expect } from 'chai';
import fc from 'fast-check';
import { positionOf, StampReader, type Verdict } from '../../../lib/streams/stamp-reader.ts';

const dayMs = 86_400_000;

/** Repeats as a plain set would tell them: the truth the reader is held against. */
function truth() {
  const seen = new Set<string>();
  return (source: string, position: bigint): Verdict => {
    const key = `${source} ${position}`;
    const verdict = seen.has(key) ? 'repeat' : 'new';
    seen.add(key);
    return verdict;
  };
}

/**
 * Two writers that number 1, 2, 3 … and write again what they please among what is not below their floor, and
 * copies of anything ever written (zombies), with the floor that was true when they were first put.
 */
const histories = fc.array(
  fc.record({
    source: fc.constantFrom('a', 'b'),
    act: fc.constantFrom('next', 'next', 'next', 'skip', 'again', 'settle'),
    choice: fc.nat(),
  }),
  { maxLength: 400 },
);

interface Writer {
  floor: bigint;
  last: bigint;
  readonly skipped: bigint[];
  readonly written: { readonly position: bigint; readonly floor: bigint }[];
}

/** Counters, and sequence numbers that differ above their lowest 64, 128 or 192 bits only. */
const scales = fc.constantFrom(1n, 1n << 64n, 1n << 130n, 1n << 192n);

function play(
  history: typeof histories extends fc.Arbitrary<infer T> ? T : never,
  scale: bigint,
  read: (stamp: { source: string; position: bigint; floor: bigint }) => void,
): void {
  const writers = new Map<string, Writer>();
  for (const { source, act, choice } of history) {
    const writer = writers.get(source) ?? { floor: 0n, last: 0n, skipped: [], written: [] };
    writers.set(source, writer);
    const write = (position: bigint): void => {
      writer.written.push({ position, floor: writer.floor });
      read({ source, position, floor: writer.floor });
    };
    if (act === 'next' || act === 'skip') writer.last += scale;
    if (act === 'next') write(writer.last);
    if (act === 'skip') writer.skipped.push(writer.last);
    if (act === 'settle') {
      for (const position of writer.skipped.splice(0)) write(position);
      writer.floor = writer.last;
    }
    const copy = writer.written[choice % Math.max(1, writer.written.length)];
    if (act === 'again' && copy) read({ source, ...copy });
  }
}

describe('StampReader', () => {
  it('knows every second copy and takes none for a first', () => {
    fc.assert(
      fc.property(histories, scales, (history, scale) => {
        const reader = StampReader.load(undefined);
        const expected = truth();
        play(history, scale, (stamp) => {
          expect(reader.judge(stamp, 0)).to.equal(expected(stamp.source, stamp.position));
        });
      }),
    );
  });

  it('knows the same after it was saved and loaded, at any moment', () => {
    fc.assert(
      fc.property(histories, scales, (history, scale) => {
        let reader = StampReader.load(undefined);
        const expected = truth();
        play(history, scale, (stamp) => {
          reader = StampReader.load(reader.save());
          expect(reader.judge(stamp, 0)).to.equal(expected(stamp.source, stamp.position));
        });
      }),
      { numRuns: 30 },
    );
  });

  it('has clones that know what it knew, and learn nothing from each other', () => {
    const reader = StampReader.load(undefined);
    reader.judge({ source: 'a', position: 1n, floor: 0n }, 0);
    const clone = reader.clone();
    const second = { source: 'a', position: 2n, floor: 0n };
    expect(clone.judge(second, 0)).to.equal('new');
    expect(reader.judge(second, 0)).to.equal('new');
    expect(reader.judge({ source: 'a', position: 1n, floor: 0n }, 0)).to.equal('repeat');
    const third = { source: 'a', position: 3n, floor: 2n };
    expect(reader.judge(third, 0)).to.equal('new');
    expect(clone.judge(third, 0)).to.equal('new');
  });

  it('does not teach its clones what it learns later', () => {
    const reader = StampReader.load(undefined);
    reader.judge({ source: 'a', position: 1n, floor: 0n }, 0);
    const clone = reader.clone();
    const later = { source: 'a', position: 2n, floor: 1n };
    expect([reader.judge(later, 0), clone.judge(later, 0)]).to.deep.equal(['new', 'new']);
  });

  it('tells positions apart whichever bit they differ in', () => {
    const reader = StampReader.load(undefined);
    const positions = Array.from({ length: 214 }, (_, bit) => 1n << BigInt(bit));
    const pairs = positions.map((position, bit) => position | (1n << BigInt((bit * 7 + 64) % 214)));
    for (const position of new Set([...positions, ...pairs])) {
      expect(reader.judge({ source: 'a', position, floor: 0n }, 0), `${position}`).to.equal('new');
    }
  });

  it('knows after a merge what either knew', () => {
    const one = StampReader.load(undefined);
    const other = StampReader.load(undefined);
    one.judge({ source: 'a', position: 7n, floor: 5n }, 0);
    other.judge({ source: 'a', position: 4n, floor: 2n }, 0);
    other.judge({ source: 'a', position: 9n, floor: 2n }, 0);
    other.judge({ source: 'b', position: 1n, floor: 0n }, 0);
    one.merge(other);
    const known = [5n, 7n, 9n].map((position) => one.judge({ source: 'a', position, floor: 0n }, 0));
    expect(known).to.deep.equal(['repeat', 'repeat', 'repeat']);
    expect(one.judge({ source: 'a', position: 8n, floor: 0n }, 0)).to.equal('new');
    expect(one.judge({ source: 'b', position: 1n, floor: 0n }, 0)).to.equal('repeat');
  });

  it('keeps what it knows of a source in a handful of bytes once the floor has caught up', () => {
    const reader = StampReader.load(undefined);
    for (let position = 1n; position <= 5_000n; position += 1n) {
      reader.judge({ source: 'a', position, floor: position - 1n }, 0);
    }
    expect(reader.save().length).to.be.at.most(12);
  });

  it('needs few bytes for positions made of Kinesis sequence numbers', () => {
    const reader = StampReader.load(undefined);
    // Neighbours as a real shard gives them: they share their low bits.
    const first = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n;
    for (let index = 0n; index < 500n; index += 1n) {
      const sequenceNumber = (first + index * 2_564_131_663_402_632_534_000_926_720n).toString();
      const position = positionOf({ sequenceNumber, subSequenceNumber: 0 });
      reader.judge(
        {
          source: 'a',
          position,
          floor: positionOf({ sequenceNumber: `${first - 1n}`, subSequenceNumber: 0 }),
        },
        0,
      );
    }
    expect(reader.save().length).to.be.lessThan(500 * 16);
  });

  it('forgets a source that was silent for more than a day, by arrival times', () => {
    const reader = StampReader.load(undefined);
    const silent = { source: 'silent', position: 1n, floor: 0n };
    const steady = { source: 'steady', position: 1n, floor: 0n };
    reader.judge(silent, 0);
    reader.judge(steady, 1);
    reader.judge({ source: 'new', position: 1n, floor: 0n }, dayMs + 1);
    const later = StampReader.load(reader.save());
    expect(later.judge(steady, dayMs + 2)).to.equal('repeat');
    expect(later.judge(silent, dayMs + 2)).to.equal('new');
  });

  it('keeps the thousand sources heard last', () => {
    const reader = StampReader.load(undefined);
    for (let index = 0; index <= 1_000; index += 1) {
      reader.judge({ source: `source-${index}`, position: 1n, floor: 0n }, index);
    }
    expect(reader.judge({ source: 'source-1', position: 1n, floor: 0n }, 1_001)).to.equal('repeat');
    expect(reader.judge({ source: 'source-0', position: 1n, floor: 0n }, 1_002)).to.equal('new');
  });

  for (const [why, bytes] of [
    ['of another format', [9, 0]],
    ['that are cut short', [2, 1, 1, 3, 97]],
    ['that go on too long', [2, 1, 0, 0]],
  ] as const) {
    it(`refuses saved bytes ${why}`, () => {
      expect(() => StampReader.load(Uint8Array.from(bytes)))
        .to.throw()
        .with.property('code', 'bad-saved-state');
    });
  }
});

describe('StampReader: order', () => {
  const stamp = (position: bigint, after?: bigint, floor = 0n) => ({
    source: 'a',
    position,
    floor,
    ...(after !== undefined && { after }),
  });
  const early = stamp(2n, 1n);

  it('finds a record early until the one before it was read, and takes the copy that comes behind that', () => {
    let reader = StampReader.load(undefined);
    const found = [early, stamp(3n, 2n), stamp(1n), early, stamp(3n), early].map((one) => {
      reader = StampReader.load(reader.save());
      return reader.judge(one, 0);
    });
    expect(found).to.deep.equal(['early', 'early', 'new', 'new', 'new', 'repeat']);
  });

  it('counts the one before as read where the floor has passed it: it came, or it never will', () => {
    const reader = StampReader.load(undefined);
    expect([reader.judge(stamp(9n, undefined, 1n), 0), reader.judge(early, 0)]).to.deep.equal(['new', 'new']);
  });

  it('learns the floor from an early record, which states nothing but what is so', () => {
    const reader = StampReader.load(undefined);
    const found = [stamp(9n, 8n, 5n), stamp(5n)].map((one) => reader.judge(one, 0));
    expect(found).to.deep.equal(['early', 'repeat']);
  });

  it('loses nothing where it begins in the middle of a call, and is strict when that call must be over', () => {
    let reader = StampReader.load(undefined);
    reader.missed();
    reader = StampReader.load(reader.save());
    expect(reader.judge(early, 1_000)).to.equal('new');
    reader = StampReader.load(reader.save()).clone();
    expect(reader.judge(stamp(5n, 4n), 10_999)).to.equal('new');
    expect(reader.judge(stamp(7n, 6n), 11_000)).to.equal('early');
  });

  it('loses nothing behind a record whose stamp nobody can read, nor in a child of its shard', () => {
    const parent = StampReader.load(undefined);
    parent.judge(stamp(1n), 1_000);
    parent.missed(1_000);
    const child = StampReader.load(undefined);
    child.merge(StampReader.load(parent.save()));
    expect(child.judge(stamp(3n, 2n), 10_999)).to.equal('new');
    expect(child.judge(stamp(5n, 4n), 11_000)).to.equal('early');
  });

  it('loses nothing of a source that it had to forget for others', () => {
    const reader = StampReader.load(undefined);
    reader.judge(stamp(1n), 0);
    for (let index = 0; index < 1_000; index += 1) {
      reader.judge({ source: `source-${index}`, position: 1n, floor: 0n }, 1);
    }
    expect(reader.judge(early, 9_999)).to.equal('new');
  });
});

describe('position of a record that is passed on', () => {
  it('orders records as they lie in the shard, user records of an aggregate included', () => {
    const positions = [
      { sequenceNumber: '9', subSequenceNumber: 0 },
      { sequenceNumber: '10', subSequenceNumber: 0 },
      { sequenceNumber: '10', subSequenceNumber: 1 },
      { sequenceNumber: '10', subSequenceNumber: 16_777_215 },
      { sequenceNumber: '11', subSequenceNumber: 0 },
    ].map(positionOf);
    const sorted = [...positions].sort((a, b) => (a < b ? -1 : 1));
    expect(sorted).to.deep.equal(positions);
    expect(new Set(positions).size).to.equal(positions.length);
  });
});
