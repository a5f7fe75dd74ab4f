import { expect } from 'chai';
import { CountingTable } from '../../../bench/lease-cost/counting-table.ts';
import { javaKcl2 } from '../../../bench/lease-cost/java-kcl.ts';
import { indexWriteUnits, itemBytes, readUnits, writeUnits } from '../../../bench/lease-cost/units.ts';
import { createMemoryLeaseTable } from '../../../lib/leases/memory-lease-table.ts';

describe('units of a lease table', () => {
  it('weighs an item by its names and values', () => {
    expect(itemBytes({ leaseKey: 'shard-1' })).to.equal(8 + 7);
    expect(itemBytes({ n: 12_345, b: new Uint8Array(10), s: new Set(['ab', 'c']) })).to.equal(
      1 + 4 + (1 + 10) + (1 + 3),
    );
  });

  it('charges a write by the larger of before and after, and never less than one unit', () => {
    const of = (bytes: number) => ({ x: 'y'.repeat(bytes - 1) });
    expect([
      writeUnits(of(1_024), of(10)),
      writeUnits(of(10), of(1_025)),
      writeUnits(undefined, undefined),
    ]).to.deep.equal([1, 2, 1]);
  });

  it('charges the index where the owner appears, changes or goes', () => {
    const [a, b, none] = [{ leaseOwner: 'a' }, { leaseOwner: 'b' }, {}];
    expect([
      indexWriteUnits(a, a),
      indexWriteUnits(none, a),
      indexWriteUnits(a, b),
      indexWriteUnits(a, none),
    ]).to.deep.equal([0, 1, 2, 1]);
  });

  it('charges an eventually consistent read half of a strong one', () => {
    expect([
      readUnits(4_097, 'strong'),
      readUnits(4_097, 'eventual'),
      readUnits(0, 'eventual'),
    ]).to.deep.equal([2, 1, 0.5]);
  });

  it('counts a failed condition as a write and the read after it', async () => {
    const table = new CountingTable(createMemoryLeaseTable());
    await table.insert('a', { leaseKey: 'a', leaseOwner: 'w' });
    await table.insert('a', { leaseKey: 'a' });
    const { calls, writes, reads } = table.settle();
    expect({ calls, writes, reads }).to.deep.equal({
      calls: { PutItem: 2, GetItem: 1 },
      writes: 3,
      reads: 1,
    });
    expect(table.settle().writes).to.equal(0);
  });

  it('gives the figures of the Java KCL that are known: 0.302 writes a lease, 2.5 reads a worker of 1,000', () => {
    const idle = javaKcl2({ workers: 50, leases: 1_000, checkpointMs: undefined });
    expect(idle.writes / 1_000).to.be.closeTo(0.302, 0.001);
    expect(idle.reads).to.be.closeTo(125, 5);
    expect(javaKcl2({ workers: 1, leases: 1_000, checkpointMs: 5_000 }).writes / 1_000).to.be.closeTo(
      0.502,
      0.001,
    );
  });
});
