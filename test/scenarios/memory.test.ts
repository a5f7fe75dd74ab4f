import { expect } from 'chai';
import { end } from '../../bench/fleet/child.ts';
import { type BenchCloud, entryFor, putAll, startCloud } from '../../bench/fleet/cloud.ts';
import { startWorker, until } from '../../bench/fleet/one-worker.ts';

const mebibyte = 1024 * 1024;
const shards = 100;
const recordBytes = mebibyte / 2;
/** 2 MiB for each shard, three times the budget in all; bench/memory.ts asks the same with more, and for longer. */
const recordsPerShard = 4;
const budgetBytes = 64 * mebibyte;
/** Node, the SDK, and what does not grow with the budget. */
const fixedBytes = 150 * mebibyte;
/** Of a record: so reading is faster than handling, and would fill the memory if it were let. */
const handlerMs = 100;

describe('scenario 31: far more to read on 100 shards than the byte budget, and slow handlers', function () {
  this.timeout(90_000);
  let cloud: BenchCloud;
  before(async () => {
    cloud = await startCloud(shards);
  });
  after(() => cloud.stop());

  it('the process stays within its budget and 150 MiB, every shard gets its turn, and no lease is lost', async () => {
    const data = Buffer.alloc(recordBytes, 'weir');
    const each = Array.from({ length: recordsPerShard });
    await putAll(
      cloud,
      cloud.shards.flatMap((shard) => each.map(() => entryFor(shard, data))),
    );
    const worker = await startWorker(cloud.place, {
      workerId: 'slow',
      handlerMs,
      tell: 'each',
      options: { bytesMax: budgetBytes },
    });
    try {
      let lost = 0;
      let records = 0;
      const read = new Set<string>();
      worker.on('lease-lost', () => (lost += 1));
      worker.on('delivered', ({ sequenceNumbers, shardId }) => {
        read.add(shardId);
        records += sequenceNumbers.length;
      });
      const all = shards * recordsPerShard;
      await until('the records are handled', () => records >= all, 60_000, worker.child);
      const { peakBytes } = await worker.usage();
      expect(peakBytes / mebibyte).to.be.at.most((budgetBytes + fixedBytes) / mebibyte);
      expect([lost, read.size]).to.deep.equal([0, shards]);
    } finally {
      await end(worker.child, 'SIGKILL');
    }
  });
});
