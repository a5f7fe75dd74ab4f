import { expect } from 'chai';
import { faultyLeaseTable } from '../../lib/leases/lease-table-faults.ts';
import type { ShardLister } from '../../lib/leases/syncer.ts';
import { createLeaseStore } from '../../lib/leases/table-lease-store.ts';
import { leaseScene } from '../support/lease-scene.ts';
import { seededRandom, startWorker, type TestWorker } from '../support/lease-workers.ts';

const shards = 5_000;
/** What a call to DynamoDB takes. Without it one worker would have made and taken all before another could look. */
const callMs = 10;
/** Half of what ListShards allows, 1,000 calls a second for a stream (Kinesis quotas). */
const listsPerSecondMax = 1_000 / 2;
const shardsPerPage = 1_000;

/** Counts the pages of ListShards per second, and the calls of DescribeStreamSummary. */
function counted(kinesis: ShardLister, nowMs: () => number) {
  const lists = new Map<number, number>();
  let describes = 0;
  const lister: ShardLister = {
    describe: (...call) => {
      describes += 1;
      return kinesis.describe(...call);
    },
    listShards: (...call) => {
      const second = Math.floor(nowMs() / 1_000);
      lists.set(second, (lists.get(second) ?? 0) + shards / shardsPerPage);
      return kinesis.listShards(...call);
    },
  };
  return { lister, lists, describes: () => describes };
}

describe('scenario 29: a cold start at 5,000 shards', function () {
  // Fifty workers in one process, each with its view of 5,000 leases: on a busy machine that takes its time.
  this.timeout(300_000);

  for (const size of [1, 50]) {
    it(`with ${size}: the first shard is read at once, and 99 of 100 within 10 s, shared evenly`, async () => {
      const { clock, kinesis, store } = leaseScene(shards);
      const { describes, lister, lists } = counted(kinesis, clock.monotonic);
      const workers = Array.from({ length: size }, (_, i): TestWorker => {
        const line = faultyLeaseTable(store.table, { clock, random: seededRandom(i), requestMs: 1_500 });
        line.fault({ fault: { type: 'slow', ms: callMs } });
        return startWorker({
          id: `w${i}`,
          clock,
          kinesis: lister,
          store: createLeaseStore(line),
          seed: 29 + i,
        });
      });
      const inWork = (): number => workers.reduce((sum, { working }) => sum + working.size, 0);
      const spread = (): number => {
        const sizes = workers.map(({ working }) => working.size);
        return Math.max(...sizes) - Math.min(...sizes);
      };
      while (inWork() === 0) await clock.advance(100);
      expect(clock.monotonic(), 'first shard').to.be.below(3_000);
      // The last few were planned for a worker that looks again in some seconds; nobody waits for all.
      const shared = (): boolean => inWork() >= 0.99 * shards && spread() <= 2;
      while (!shared() && clock.monotonic() < 10_000) await clock.advance(100);
      expect([shared(), inWork(), spread()]).to.deep.equal([true, inWork(), spread()]);
      expect(store.table.items.size, 'leases made').to.equal(shards);
      expect(Math.max(...lists.values())).to.be.at.most(listsPerSecondMax);
      expect(describes(), 'one for each worker').to.equal(size);
    });
  }
});
