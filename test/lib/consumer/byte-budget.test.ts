import { expect } from 'chai';
import fc from 'fast-check';
import { ByteBudget, type Grant } from '../../../lib/consumer/byte-budget.ts';

const never = new AbortController().signal;

describe('the byte budget', () => {
  it('grants what fits and lets the rest wait until bytes come back', async () => {
    const budget = new ByteBudget(10);
    const share = budget.share();
    const first = await share.reserve(8, never);
    let second: Grant | undefined;
    const waiting = share.reserve(8, never).then((grant) => (second = grant));
    await Promise.resolve();
    expect(second).to.equal(undefined);
    first?.settle(2);
    await waiting;
    expect(budget.used).to.equal(10);
    first?.release();
    first?.release();
    expect(budget.used, 'released once, however often it is called').to.equal(8);
  });

  it('counts what is in use although it is more than was granted, and lets others wait for that too', async () => {
    const budget = new ByteBudget(10);
    const grant = await budget.share().reserve(4, never);
    grant?.settle(9);
    expect(budget.used).to.equal(9);
    let second: Grant | undefined;
    const waiting = budget.share().reserve(2, never);
    void waiting.then((granted) => (second = granted));
    await Promise.resolve();
    expect(second).to.equal(undefined);
    grant?.release();
    await waiting;
    expect(budget.used).to.equal(2);
  });

  it('serves who holds least first, so a shard with a slow handler cannot starve the others', async () => {
    const budget = new ByteBudget(10);
    const greedy = budget.share();
    const modest = budget.share();
    const held = await greedy.reserve(4, never);
    const other = await budget.share().reserve(6, never);
    const order: string[] = [];
    const asked = [
      greedy.reserve(6, never).then(() => order.push('greedy')),
      modest.reserve(6, never).then((grant) => {
        order.push('modest');
        grant?.release();
      }),
    ];
    other?.release();
    await Promise.all(asked);
    expect(order).to.deep.equal(['modest', 'greedy']);
    held?.release();
  });

  it('stops waiting when the signal aborts, and takes nothing', async () => {
    const budget = new ByteBudget(1);
    const grant = await budget.share().reserve(1, never);
    const stop = new AbortController();
    const waiting = budget.share().reserve(1, stop.signal);
    stop.abort();
    expect(await waiting).to.equal(undefined);
    grant?.release();
    expect(budget.used).to.equal(0);
  });

  it('grants more than the whole budget only alone', async () => {
    const budget = new ByteBudget(5);
    const grant = await budget.share().reserve(50, never);
    expect(budget.used).to.equal(5);
    grant?.release();
    expect(budget.used).to.equal(0);
  });

  it('never exceeds its limit, serves everybody in the end and gets all bytes back', async () => {
    const asks = fc.array(fc.record({ share: fc.nat(3), bytes: fc.nat(12), keep: fc.nat(12) }), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(asks, async (wanted) => {
        const budget = new ByteBudget(10);
        const shares = Array.from({ length: 4 }, () => budget.share());
        let served = 0;
        const work = wanted.map(async ({ bytes, keep, share }) => {
          const grant = await shares[share]!.reserve(bytes, never);
          expect(budget.used).to.be.at.most(10);
          grant?.settle(Math.min(keep, bytes, budget.limit));
          for (let turn = 0; turn < keep; turn += 1) await Promise.resolve();
          grant?.release();
          served += 1;
        });
        await Promise.all(work);
        expect(served).to.equal(wanted.length);
        expect(budget.used).to.equal(0);
      }),
    );
  });
});
