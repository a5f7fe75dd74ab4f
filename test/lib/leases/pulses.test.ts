import { expect } from 'chai';
import type { Pulse } from '../../../lib/leases/lease-store.ts';
import { Pulses } from '../../../lib/leases/pulses.ts';
import { sampleLease } from '../../support/leases.ts';

const failoverMs = 10_000;
const pulse = (worker: string, counter: number, leaseKey = `lease-of-${worker}`): Pulse => ({
  leaseKey,
  incarnation: `${worker}/1`,
  counter,
});
const lease = (worker: string, counter: number) =>
  sampleLease({
    leaseKey: `lease-of-${worker}`,
    leaseOwner: worker,
    incarnation: `${worker}/1`,
    counter,
    pulse: true,
  });
const stillIn = (pulses: Pulses): readonly string[] => pulses.still().map(({ incarnation }) => incarnation);

describe('the pulses of a fleet', () => {
  it('stand still once they were seen to for the failover time, not where they were not looked at', () => {
    const pulses = new Pulses(failoverMs);
    pulses.see([pulse('a', 1), pulse('b', 1)], 0);
    pulses.see([pulse('a', 2), pulse('b', 1)], 9_999);
    expect(stillIn(pulses)).to.deep.equal([]);
    pulses.seeOne('b/1', [pulse('b', 1)], 10_000);
    expect(stillIn(pulses)).to.deep.equal(['b/1']);
    expect(pulses.alive()).to.deep.equal(['a/1']);
  });

  it('say who has come or gone', () => {
    const pulses = new Pulses(failoverMs);
    expect(pulses.see([pulse('a', 1)], 0)).to.equal(true);
    expect(pulses.see([pulse('a', 2)], 1)).to.equal(false);
    expect(pulses.see([pulse('a', 2), pulse('b', 1)], 2)).to.equal(true);
    expect(pulses.see([pulse('b', 1)], 3)).to.equal(true);
    expect(pulses.see([pulse('b', 1, 'another lease')], 4)).to.equal(false);
  });

  it('are believed only as the table has them: a lease that moved, or is no pulse, is no sign of death', () => {
    const pulses = new Pulses(failoverMs);
    const all = ['a', 'b', 'c', 'd'].map((worker) => pulse(worker, 1));
    pulses.see(all, 0);
    pulses.see(all, failoverMs);
    const [a, b, c, d] = pulses.still();
    if (!a || !b || !c || !d) throw new Error('not still');
    expect(pulses.check(a, lease('a', 1), failoverMs)).to.equal(true);
    expect(pulses.check(b, lease('b', 2), failoverMs)).to.equal(false);
    expect(pulses.check(c, { ...lease('c', 1), pulse: false }, failoverMs)).to.equal(false);
    expect(pulses.check(d, undefined, failoverMs)).to.equal(false);
    expect(stillIn(pulses)).to.deep.equal(['a/1']);
  });

  it('wake their watcher when one that was seen to stand still for a while will have done so for long enough', () => {
    const pulses = new Pulses(failoverMs);
    pulses.see([pulse('a', 1), pulse('b', 1)], 0);
    expect(pulses.dueMs()).to.equal(Infinity);
    pulses.see([pulse('a', 2), pulse('b', 1)], 2_000);
    expect([pulses.dueMs(), pulses.dueMs('a/1')]).to.deep.equal([10_000, Infinity]);
  });

  it('count for nothing any more where the end of their process was proven, until no lease of it is left', () => {
    const pulses = new Pulses(failoverMs);
    pulses.see([pulse('a', 1)], 0);
    pulses.see([pulse('a', 1)], failoverMs);
    pulses.end('a/1', failoverMs);
    expect([stillIn(pulses), pulses.alive(), pulses.overSinceMs('a/1')]).to.deep.equal([[], [], failoverMs]);
    pulses.keep(new Set(['a/1']));
    expect(pulses.overSinceMs('a/1')).to.equal(failoverMs);
    pulses.keep(new Set());
    expect(pulses.overSinceMs('a/1')).to.equal(undefined);
  });

  it('are given time anew after an outage', () => {
    const pulses = new Pulses(failoverMs);
    pulses.see([pulse('a', 1)], 0);
    pulses.restart(20_000);
    pulses.see([pulse('a', 1)], 29_000);
    expect(stillIn(pulses)).to.deep.equal([]);
  });
});
