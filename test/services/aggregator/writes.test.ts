import { BatchWriteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { expect } from 'chai';
import type { EventRecord } from '../../../lib/consumer/events.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { createWindowStore } from '../../../lib/stores/windows.ts';
import { createAggregatorHandler } from '../../../services/aggregator/handler.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';
import { noStart, sampleContext, sampleRecord } from '../../support/events.ts';

const minute = 60_000;
const hour = 60 * minute;
const types = Array.from({ length: 30 }, (_, n) => `type-${n}`);

describe('the writes of the aggregator', function () {
  this.timeout(60_000);
  let tables: TestTables;
  before(async () => {
    tables = await startTables(['windows']);
  });
  after(() => tables.close());

  /** The definitions of flow/windows.yaml, a batch of 500 at a time, a checkpoint every fourth. */
  async function writesFor(name: string, records: readonly EventRecord[]): Promise<number> {
    const { client, items } = counting(tables);
    let ms = 0;
    const handler = createAggregatorHandler({
      definitions: [
        { name: `${name}-5m`, sizeMs: 5 * minute, latenessMs: 10 * minute, group: 'type' },
        { name: `${name}-1m`, sizeMs: minute, latenessMs: 10 * minute, group: 'type' },
      ],
      windows: createWindowStore({ client, table: 'windows', clock: systemClock }),
      listShards: async () => [`city/${name}`],
      clock: { ...systemClock, monotonic: () => (ms += 10_000) },
      idleMs: minute,
    });
    const context = sampleContext({ shardId: name });
    await handler.start(noStart, context);
    for (let at = 0, turn = 1; at < records.length; at += 500, turn += 1) {
      const batch = records.slice(at, at + 500);
      await handler.handle(batch, context);
      if (turn % 4 === 0) await handler.flush(batch.at(-1)!.record.position, context);
    }
    return items();
  }

  /** `count` events at equal steps through `spanMs`, in groups of all sizes. */
  function history(count: number, spanMs: number, backwards = false): readonly EventRecord[] {
    return Array.from({ length: count }, (_, n) => {
      const time = Math.floor(((backwards ? count - n : n) * spanMs) / count);
      return sampleRecord({ at: n + 1, time, type: types[(n * n) % types.length]! });
    });
  }

  it('are about one per hour and definition for history that comes backwards, which is late', async () => {
    const hours = 17 * 24;
    const written = await writesFor('backwards', history(10_000, hours * hour, true));
    expect(written).to.be.within(2 * hours, 2 * hours + 100);
  });

  it('are about two per hour and definition, with the marks, for history in order', async () => {
    const hours = 17 * 24;
    const written = await writesFor('forwards', history(10_000, hours * hour));
    expect(written).to.be.within(4 * hours, 4 * hours + 100);
  });

  it('are a few per checkpoint for 50,000 events in five windows', async () => {
    const checkpoints = 50_000 / 500 / 4;
    const written = await writesFor('dense', history(50_000, 25 * minute));
    // Per checkpoint and definition a part that goes on, one that begins and a mark; and the watermark.
    expect(written).to.be.below(checkpoints * (2 * 3 + 1));
  });
});

/** The same client, and the number of items that were put through it. */
function counting({ client }: TestTables) {
  let puts = 0;
  const counted = new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (name !== 'send' || typeof member !== 'function') return member;
      return (command: unknown, ...rest: unknown[]): unknown => {
        if (command instanceof PutCommand) puts += 1;
        if (command instanceof BatchWriteCommand) {
          puts += Object.values(command.input.RequestItems ?? {}).flat().length;
        }
        return Reflect.apply(member, target, [command, ...rest]);
      };
    },
  });
  return { client: counted, items: () => puts };
}
