import { expect } from 'chai';
import { inChunks, inFlight } from '../../../lib/stores/in-flight.ts';

describe('work in flight', () => {
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };

  it('never has more than its limit, and gives results in the order of the items', async () => {
    let now = 0;
    let most = 0;
    const results = await inFlight([3, 1, 2, 5, 4], 2, async (n) => {
      now += 1;
      most = Math.max(most, now);
      for (let turn = 0; turn < n; turn += 1) await Promise.resolve();
      now -= 1;
      return n * 10;
    });
    expect(results).to.deep.equal([30, 10, 20, 50, 40]);
    expect(most).to.equal(2);
  });

  it('begins nothing after a failure, and waits for what is under way before it throws', async () => {
    const begun: number[] = [];
    let finish = (): void => {};
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let over = false;
    const running = inFlight([1, 2, 3, 4], 2, async (n) => {
      begun.push(n);
      if (n === 1) throw new Error('one failed');
      await slow;
    }).then(
      () => 'done',
      (error: Error) => error.message,
    );
    void running.then(() => {
      over = true;
    });
    await settle();
    expect(over, 'the second is still under way').to.equal(false);
    finish();
    expect(await running).to.equal('one failed');
    expect(begun).to.deep.equal([1, 2]);
  });

  it('cuts a list into chunks', () => {
    expect(inChunks([1, 2, 3, 4, 5], 2)).to.deep.equal([[1, 2], [3, 4], [5]]);
    expect(inChunks([], 2)).to.deep.equal([]);
  });
});
