import { expect } from 'chai';
import { Bucket, serviceThroughput, SHARD_LIMITS } from '../../../local/kinesis/control/limits.ts';

describe('the throughput of a shard', () => {
  it('takes 1,000 records in a second and not one more', () => {
    const throughput = serviceThroughput();
    const shard = {};
    const admitted = Array.from({ length: 1_200 }, () => throughput.admitWrite(shard, 10, 5_000));
    expect(admitted.filter(Boolean)).to.have.length(1_000);
    expect(throughput.admitWrite(shard, 10, 5_000)).to.equal(false);
    expect(throughput.admitWrite(shard, 10, 5_001)).to.equal(true);
  });

  it('takes 1 MiB in a second', () => {
    const throughput = serviceThroughput();
    const shard = {};
    const quarter = SHARD_LIMITS.writeBytes / 4;
    const admitted = Array.from({ length: 6 }, () => throughput.admitWrite(shard, quarter, 0));
    expect(admitted).to.deep.equal([true, true, true, true, false, false]);
    expect(throughput.admitWrite(shard, quarter, 250)).to.equal(true);
  });

  it('counts nothing for a record that it refuses', () => {
    const throughput = serviceThroughput();
    const shard = {};
    throughput.admitWrite(shard, SHARD_LIMITS.writeBytes, 0);
    for (let i = 0; i < 2_000; i += 1) throughput.admitWrite(shard, 1_000, 0);
    expect(throughput.admitWrite(shard, SHARD_LIMITS.writeBytes, 1_000)).to.equal(true);
  });

  it('gives five reads in a second', () => {
    const throughput = serviceThroughput();
    const shard = {};
    const reads = Array.from({ length: 6 }, () => throughput.admitRead(shard, 0));
    expect(reads).to.deep.equal([true, true, true, true, true, false]);
    expect(throughput.admitRead(shard, 200)).to.equal(true);
  });

  it('is in debt for five seconds after a page of 10 MiB', () => {
    const throughput = serviceThroughput();
    const shard = {};
    expect(throughput.admitRead(shard, 0)).to.equal(true);
    throughput.chargeRead(shard, 10 * 1024 * 1024, 0);
    expect(throughput.admitRead(shard, 3_900)).to.equal(false);
    expect(throughput.admitRead(shard, 4_100)).to.equal(true);
  });

  it('is counted for each shard alone', () => {
    const throughput = serviceThroughput();
    const first = {};
    while (throughput.admitRead(first, 0));
    expect(throughput.admitRead({}, 0)).to.equal(true);
  });
});

describe('a bucket', () => {
  it('lets what is larger than itself pass when it is full, and then waits for the debt', () => {
    const bucket = new Bucket(100, 0);
    expect(bucket.has(300, 0)).to.equal(true);
    bucket.take(300);
    expect(bucket.has(1, 2_000)).to.equal(false);
    expect(bucket.waitMs(1, 2_000)).to.equal(10);
    expect(bucket.has(1, 2_010)).to.equal(true);
  });

  it('does not lose tokens when the clock goes back', () => {
    const bucket = new Bucket(100, 1_000);
    expect(bucket.has(100, 500)).to.equal(true);
  });
});
