import { expect } from 'chai';
import { createThroughput } from '../../../lib/leases/throughput.ts';

const kib = 1_024;

describe('the throughput of a lease', () => {
  it('is what was read in the time since the last sample, smoothed: half of what was before counts after 30 s', () => {
    const throughput = createThroughput(0, 0);
    throughput.observe({ bytes: 3_000 * kib, fromMs: 0, toMs: 30_000 });
    expect(throughput.sample(30_000)).to.equal(50);
    throughput.observe({ bytes: 3_000 * kib, fromMs: 30_000, toMs: 60_000 });
    expect(throughput.sample(60_000)).to.equal(75);
  });

  it('is nearly the same for a burst, whenever and over whatever stretch it is sampled', () => {
    const sampledAt = (times: readonly number[]): number => {
      const throughput = createThroughput(0, 0);
      throughput.observe({ bytes: 100 * kib, fromMs: 0, toMs: 500 });
      return times.reduce((last, atMs) => throughput.sample(atMs) ?? last, 0);
    };
    const often = sampledAt([1_000, 4_000, 7_000, 10_000, 13_000]);
    expect(sampledAt([5_800, 11_600]) / often).to.be.within(0.9, 1.1);
    expect(sampledAt([2_000, 7_800, 13_600]) / often).to.be.within(0.9, 1.1);
  });

  it('is that of the shard, not of the reader: a backlog counts for the time in which it arrived', () => {
    const throughput = createThroughput(0, 100);
    throughput.observe({ bytes: 600 * kib, fromMs: 10_000, toMs: 16_000 });
    throughput.observe({ bytes: 400 * kib, fromMs: 16_500, toMs: 20_000 });
    expect(throughput.sample(1_000)).to.equal(100);
  });

  it('is not known before a second has passed, and stays as it was where a sample would be too short', () => {
    const throughput = createThroughput(0, 8);
    throughput.observe({ bytes: 999 * kib, fromMs: 0, toMs: 0 });
    expect(throughput.sample(999)).to.equal(undefined);
    expect(throughput.sample(1_000)).to.be.greaterThan(30);
  });
});
