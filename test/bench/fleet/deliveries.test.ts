import { expect } from 'chai';
import { Deliveries } from '../../../bench/fleet/deliveries.ts';

describe('deliveries of a fleet', () => {
  it('measures a gap from the last delivery of the old worker to the first of the new one', () => {
    const deliveries = new Deliveries();
    deliveries.add('old', 's1', 100, ['1']);
    // Told by another process before the old one's last word was heard.
    deliveries.add('new', 's1', 950, ['3']);
    deliveries.add('old', 's1', 200, ['2']);
    deliveries.add('new', 's1', 1_200, ['4']);
    expect(deliveries.gapAfter('old', 's1')).to.equal(750);
    expect(deliveries.gapAfter('new', 's1')).to.equal(undefined);
    expect(deliveries.gapAfter('old', 's2')).to.equal(undefined);
  });

  it('counts each record that comes again, and tells shards apart', () => {
    const deliveries = new Deliveries();
    deliveries.add('a', 's1', 1, ['1', '2']);
    deliveries.add('a', 's2', 2, ['1']);
    deliveries.add('b', 's1', 3, ['2', '3']);
    expect(deliveries.repeats).to.equal(1);
    expect([deliveries.has('s1 3'), deliveries.has('s2 2')]).to.deep.equal([true, false]);
  });

  it('takes intervals only between deliveries of one worker', () => {
    const deliveries = new Deliveries();
    for (const [worker, atMs] of [
      ['a', 10],
      ['a', 30],
      ['b', 500],
      ['b', 540],
    ] as const) {
      deliveries.add(worker, 's1', atMs, []);
    }
    expect(deliveries.intervals()).to.deep.equal([20, 40]);
  });
});
