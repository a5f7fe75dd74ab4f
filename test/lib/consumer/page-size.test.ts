import { expect } from 'chai';
import { expectedBytes, sizeOf } from '../../../lib/consumer/page-size.ts';

const record = (data: Uint8Array) => ({ sequenceNumber: '1', partitionKey: 'a', data, arrivedAtMs: 0 });
const MIB = 1024 * 1024;

describe('the size of a page', () => {
  it('is that of the memory behind its data, counted once, and of its records', () => {
    const answer = new Uint8Array(1_000);
    const views = [answer.subarray(0, 10), answer.subarray(500, 530)].map(record);
    expect(sizeOf(views)).to.deep.equal({ bytes: 40, heldBytes: 1_000 + 2 * 1_024 });
    const apart = [new Uint8Array(10), new Uint8Array(30)].map(record);
    expect(sizeOf(apart)).to.deep.equal({ bytes: 40, heldBytes: 40 + 2 * 1_024 });
  });

  it('is nothing without records', () => {
    expect(sizeOf([])).to.deep.equal({ bytes: 0, heldBytes: 0 });
  });

  it('may be all that a read brings, unless the shard was read to its tip not long ago', () => {
    expect(expectedBytes(Number.POSITIVE_INFINITY)).to.equal(20 * MIB);
    expect(expectedBytes(60_000)).to.equal(20 * MIB);
    expect(expectedBytes(1_000)).to.equal(4 * MIB);
    expect(expectedBytes(1.2345), 'in whole bytes: fractions would not add up').to.satisfy(Number.isInteger);
  });
});
