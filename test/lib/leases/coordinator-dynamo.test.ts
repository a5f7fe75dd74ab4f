import { expect } from 'chai';
import { createDynamoLeaseStore } from '../../../lib/leases/dynamo-lease-table.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { createMemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';
import { startWorker, type TestWorker, untilAsked } from '../../support/lease-workers.ts';

describe('coordinators on DynamoDB (dynalite), in real time', function () {
  this.timeout(20_000);
  let tables: TestTables;
  before(async () => {
    tables = await startTables(['router-leases']);
  });
  after(() => tables.close());

  it('start, share, hand over and stop', async () => {
    const kinesis = createMemoryKinesis({ clock: systemClock });
    kinesis.createStream('orders', 4);
    const changes = createSignal();
    const start = (id: string): TestWorker =>
      startWorker({
        id,
        clock: systemClock,
        kinesis,
        store: createDynamoLeaseStore({
          client: tables.client,
          tableName: 'router-leases',
          requestMs: 1_000,
        }),
        options: { failoverMs: 5_000 },
        work: async (lease) => {
          changes.tell();
          await untilAsked(lease);
          const upTo = { type: 'POSITION', sequenceNumber: '7', subSequenceNumber: 0 } as const;
          await lease.checkpoint(upTo, { by: id });
        },
      });
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition()) await changes.told();
    };
    const a = start('a');
    await until(() => a.working.size === 4);
    const b = start('b');
    await until(() => a.working.size === 2 && b.working.size === 2);
    a.stop.abort();
    await until(() => b.working.size === 4);
    await a.done;
    // b has what a saved when it handed over.
    const states = [...b.working.values()].map((lease) => lease.taken.state?.by);
    expect(states).to.deep.equal(['a', 'a', 'a', 'a']);
    b.stop.abort();
    await b.done;
    for (const worker of [a, b]) {
      const trouble = worker.events.filter(({ type }) => type === 'lease-lost' || type === 'call-failed');
      expect(trouble).to.deep.equal([]);
    }
  });
});

/** `told` resolves with the next `tell`, or with the one that nobody has waited for. */
function createSignal() {
  let pending = 0;
  let wake = (): void => {};
  return {
    tell: (): void => {
      pending += 1;
      wake();
    },
    told: async (): Promise<void> => {
      if (pending === 0) await new Promise<void>((resolve) => void (wake = resolve));
      pending = Math.max(0, pending - 1);
    },
  };
}
