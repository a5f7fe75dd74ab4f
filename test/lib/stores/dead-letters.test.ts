import { expect } from 'chai';
import type { DeadLetter } from '../../../lib/consumer/dead-letters.ts';
import { createManualClock } from '../../../lib/runtime/manual-clock.ts';
import { createDeadLetterTable, deadLetterKey } from '../../../lib/stores/dead-letters.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';
import { createMemoryObjects, type MemoryObjects } from '../../support/memory-objects.ts';

const atMs = Date.parse('2026-11-20T10:00:00Z');

function letter(sequenceNumber: string, over: Partial<DeadLetter> = {}): DeadLetter {
  return {
    consumer: 'router',
    stream: 'inbound',
    shardId: 'shardId-000000000000',
    sequenceNumber,
    subSequenceNumber: 0,
    partitionKey: 'NYC',
    arrivedAtMs: 1_000,
    data: new Uint8Array([0, 255, 7]),
    reason: 'undecodable',
    error: 'no event',
    tries: 1,
    ...over,
  };
}

describe('the dead letters’ table', () => {
  let tables: TestTables;
  let lake: MemoryObjects;
  before(async () => {
    tables = await startTables(['dead-letters']);
  });
  after(() => tables.close());
  beforeEach(() => {
    lake = createMemoryObjects();
  });
  const open = () =>
    createDeadLetterTable({
      client: tables.client,
      table: 'dead-letters',
      lake,
      clock: createManualClock({ startMs: atMs }),
    });

  it('gives back what was put, bytes and all, and keeps one letter per record however often it is put', async () => {
    const letters = open();
    await letters.put(letter('5'));
    await letters.put(letter('5', { tries: 4 }));
    const { letters: listed, next } = await letters.list('router', { limit: 10 });
    expect(next).to.equal(undefined);
    expect(listed).to.have.length(1);
    expect(listed[0]).to.deep.include({ tries: 4, bytes: 3, setAsideAtMs: atMs });
    expect(await letters.get(listed[0]!.key)).to.deep.equal(letter('5', { tries: 4 }));
    await letters.delete(listed[0]!.key);
    expect(await letters.get(listed[0]!.key)).to.equal(undefined);
  });

  it('puts a body of more than 256 KiB into the lake before the item names it', async () => {
    const letters = open();
    const large = letter('6', { data: new Uint8Array(256 * 1024 + 1).fill(9) });
    const order: string[] = [];
    const put = lake.put;
    lake = {
      ...lake,
      put: (object) => (order.push(object.key), Promise.reject(new Error('bucket is gone'))),
    };
    const failed = await open()
      .put(large)
      .catch((error: Error) => error.message);
    expect(failed).to.equal('bucket is gone');
    expect(await letters.get(deadLetterKey(large)), 'no item without its body').to.equal(undefined);
    lake = { ...lake, put };
    await open().put(large);
    expect([...lake.stored.keys()]).to.deep.equal(order);
    expect(order[0]).to.match(/^dead-letters\/router\/inbound\/shardId-000000000000\/0{63}6\.0{10}$/);
    expect(await open().get(deadLetterKey(large))).to.deep.equal(large);
  });

  it('lists page by page in the order of positions, of one stream if asked', async () => {
    const letters = open();
    const sequences = ['9', '10', '100'];
    for (const sequence of sequences.toReversed())
      await letters.put(letter(sequence, { consumer: 'alerter' }));
    await letters.put(letter('1', { consumer: 'alerter', stream: 'inbound-2' }));
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await letters.list('alerter', {
        limit: 2,
        stream: 'inbound',
        ...(after === undefined ? {} : { after }),
      });
      seen.push(...page.letters.map(({ sequenceNumber }) => sequenceNumber));
      after = page.next;
    } while (after !== undefined);
    expect(seen).to.deep.equal(sequences);
  });
});
