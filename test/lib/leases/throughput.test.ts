import { expect } from 'chai';
import { createThroughput } from '../../../lib/leases/throughput.ts';

const kib = 1_024;

describe('the throughput of a lease', () => {
  it('is what was read in the time since the last sample, smoothed by one half', () => {
    const throughput = createThroughput(0, 0);
    throughput.observe({ bytes: 200 * kib, fromMs: 0, toMs: 2_000 });
    expect(throughput.sample(2_000)).to.equal(50);
    throughput.observe({ bytes: 100 * kib, fromMs: 2_000, toMs: 3_000 });
    expect(throughput.sample(3_000)).to.equal(75);
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
    expect(throughput.sample(1_000)).to.be.greaterThan(500);
  });
});
