import { expect } from 'chai';
import { createMemoryLeaseStore } from '../../../lib/leases/memory-lease-table.ts';
import { createManualClock } from '../../../lib/runtime/manual-clock.ts';
import { createMemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import { startWorker, type TestWorker, type WorkerSettings } from '../../support/lease-workers.ts';

function scene(shards: number) {
  const clock = createManualClock({ startMs: 1_700_000_000_000 });
  const kinesis = createMemoryKinesis({ clock });
  kinesis.createStream('orders', shards);
  const store = createMemoryLeaseStore();
  const start = (id: string, over: Partial<WorkerSettings> = {}): TestWorker =>
    startWorker({ id, clock, kinesis, store, ...over });
  return { clock, kinesis, store, start };
}

async function stopAll(clock: { advance: (ms: number) => Promise<void> }, workers: readonly TestWorker[]) {
  for (const worker of workers) worker.stop.abort();
  await clock.advance(3_000);
  await Promise.all(workers.map(({ done }) => done));
}

describe('coordinator', () => {
  it('works on every shard of a fresh table within a second', async () => {
    const { clock, start } = scene(8);
    const worker = start('a');
    await clock.advance(1_000);
    expect(worker.working.size).to.equal(8);
    await stopAll(clock, [worker]);
    expect(worker.working.size).to.equal(0);
  });

  it('shares the leases with a worker that joins, by hand-over and not by force', async () => {
    const { clock, start } = scene(8);
    const a = start('a');
    await clock.advance(5_000);
    const b = start('b');
    await clock.advance(10_000);
    expect([a.working.size, b.working.size]).to.deep.equal([4, 4]);
    expect(a.events.filter((event) => event.type === 'lease-lost')).to.deep.equal([]);
    await stopAll(clock, [a, b]);
  });

  it('hands its leases to a living peer when it stops, within two seconds', async () => {
    const { clock, start } = scene(4);
    const a = start('a');
    const b = start('b');
    await clock.advance(15_000);
    a.stop.abort();
    await clock.advance(2_000);
    await a.done;
    expect(b.working.size).to.equal(4);
    await stopAll(clock, [b]);
  });

  it('takes over the leases of a worker that died', async () => {
    const { clock, start } = scene(4);
    const dying = clock.view();
    const a = start('a', { clock: dying });
    await clock.advance(1_000);
    expect(a.working.size).to.equal(4);
    const b = start('b');
    await clock.advance(10_000);
    dying.freeze('stopped');
    await clock.advance(15_000);
    expect(b.working.size).to.equal(4);
    await stopAll(clock, [b]);
  });

  it('reads the children of a shard after it has ended', async () => {
    const { clock, kinesis, start } = scene(1);
    const children = kinesis.split('orders', 'shardId-000000000000').map((shardId) => ({
      shardId,
      parents: ['shardId-000000000000'],
      startingHashKey: '0',
      endingHashKey: '1',
    }));
    const worker = start('a', {
      work: async (lease) => {
        if (lease.shardId === 'shardId-000000000000') await lease.finish(children, { n: 1 });
        else {
          expect(lease.taken.parents).to.deep.equal([{ shardId: 'shardId-000000000000', state: { n: 1 } }]);
          await new Promise<void>((resolve) => lease.drain.addEventListener('abort', () => resolve()));
        }
      },
    });
    await clock.advance(1_000);
    expect([...worker.working.keys()].sort()).to.deep.equal(['shardId-000000000001', 'shardId-000000000002']);
    await stopAll(clock, [worker]);
  });
});
