import { expect } from 'chai';
import fc from 'fast-check';
import { ShardLog, type Batch, type LogPage } from '../../../local/kinesis/storage/shard-log.ts';

interface Plain {
  readonly counter: number;
  readonly arrivedAtMs: number;
  readonly size: number;
}

function batchOf(records: readonly Plain[]): Batch {
  const fragments = records.map((record) => `,{"c":${record.counter},"pad":"${'x'.repeat(record.size)}"}`);
  return {
    arrivedAtMs: records[0]?.arrivedAtMs ?? 0,
    counters: records.map((record) => record.counter),
    lengths: fragments.map((fragment) => fragment.length),
    sizes: records.map((record) => record.size),
    bytes: Buffer.from(fragments.join('')),
  };
}

function countersOf(page: LogPage): number[] {
  return (JSON.parse(`[${Buffer.concat(page.parts).toString()}]`) as { c: number }[]).map(
    (record) => record.c,
  );
}

/** Batches of records with rising counters and arrival times. */
const history = fc
  .array(fc.array(fc.integer({ min: 0, max: 9_000 }), { minLength: 1, maxLength: 8 }), { maxLength: 30 })
  .map((batches) => {
    let counter = 0;
    return batches.map((sizes, i) =>
      sizes.map((size): Plain => {
        counter += 2;
        return { counter, arrivedAtMs: i * 10, size };
      }),
    );
  });

function logOf(batches: readonly (readonly Plain[])[]): ShardLog {
  const log = new ShardLog({ heldBytes: 0 });
  for (const records of batches) log.append(batchOf(records));
  return log;
}

describe('a shard log', () => {
  it('gives the records that a plain list would give, for every position and limit', () => {
    const position = fc.integer({ min: 0, max: 500 });
    const limit = fc.integer({ min: 1, max: 50 });
    const bytesMax = fc.integer({ min: 1, max: 40_000 });
    fc.assert(
      fc.property(history, position, limit, bytesMax, (batches, from, most, bytes) => {
        const all = batches.flat().filter((record) => record.counter >= from);
        let size = 0;
        const wanted = all.slice(0, most).filter((record, i) => {
          size += record.size;
          return i === 0 || size <= bytes;
        });
        const page = logOf(batches).read(from, most, bytes);
        expect(countersOf(page)).to.deep.equal(wanted.map((record) => record.counter));
        expect(page.count).to.equal(wanted.length);
        expect(page.size).to.equal(wanted.reduce((sum, record) => sum + record.size, 0));
        expect(page.next).to.equal(wanted.length === 0 ? from : (wanted.at(-1)?.counter ?? 0) + 1);
        expect(page.atEnd).to.equal(wanted.length === all.length);
      }),
    );
  });

  it('finds the first record of a time, and nothing after the last', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: -5, max: 320 }), (batches, ms) => {
        const wanted = batches.flat().find((record) => record.arrivedAtMs >= ms)?.counter;
        expect(logOf(batches).firstArrivedFrom(ms)).to.equal(wanted);
      }),
    );
  });

  it('forgets exactly what arrived before the horizon, and what it forgot stays gone', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: -5, max: 320 }), (batches, ms) => {
        const log = logOf(batches);
        log.trimBefore(ms);
        log.trimBefore(ms - 100);
        const kept = batches.flat().filter((record) => record.arrivedAtMs >= ms);
        expect(countersOf(log.read(0, 1_000, 10_000_000))).to.deep.equal(
          kept.map((record) => record.counter),
        );
      }),
    );
  });

  it('gives its memory back when everything is trimmed', () => {
    const memory = { heldBytes: 0 };
    const log = new ShardLog(memory);
    log.append(batchOf([{ counter: 2, arrivedAtMs: 1, size: 20_000 }]));
    expect(memory.heldBytes).to.be.greaterThan(20_000);
    log.trimBefore(2);
    expect(memory.heldBytes).to.equal(0);
  });

  it('gives one record even when it is larger than a page', () => {
    const log = logOf([
      [{ counter: 2, arrivedAtMs: 1, size: 500 }],
      [{ counter: 4, arrivedAtMs: 1, size: 1 }],
    ]);
    expect(countersOf(log.read(0, 10, 100))).to.deep.equal([2]);
  });
});
