import { expect } from 'chai';
import type { LedgerEntry } from '../../../lib/consumer/events.ts';
import { createLedgerTable, type LedgerTable } from '../../../lib/stores/ledger.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';

function entry(upTo: string, over: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    consumer: 'router',
    stream: 'inbound',
    shardId: 'shardId-000000000000',
    upTo: upTo === 'SHARD_END' ? upTo : { sequenceNumber: upTo, subSequenceNumber: 2 },
    tally: { routed: { count: 3, digest: 'f'.repeat(32) } },
    atMs: 1_000,
    fence: 5,
    ...over,
  };
}

async function all(entries: AsyncIterable<LedgerEntry>): Promise<readonly LedgerEntry[]> {
  const found: LedgerEntry[] = [];
  for await (const one of entries) found.push(one);
  return found;
}

describe('the ledger’s table', () => {
  let tables: TestTables;
  let ledger: LedgerTable;
  before(async () => {
    tables = await startTables(['ledger']);
    ledger = createLedgerTable(tables.client, 'ledger');
  });
  after(() => tables.close());

  it('keeps one entry per position and lists them in order, SHARD_END last', async () => {
    const entries = ['9', '10', 'SHARD_END'].map((upTo) => entry(upTo));
    for (const one of entries.toReversed()) await ledger.put(one);
    await ledger.put(entries[0]!);
    expect(await all(ledger.list('router', { stream: 'inbound' }))).to.deep.equal(entries);
    expect(await all(ledger.list('archiver'))).to.deep.equal([]);
  });

  it('lists one shard, and does not take another stream with the same beginning for it', async () => {
    await ledger.put(entry('1', { consumer: 'a', shardId: 'shardId-000000000001' }));
    await ledger.put(entry('2', { consumer: 'a', shardId: 'shardId-000000000002' }));
    await ledger.put(entry('3', { consumer: 'a', stream: 'inbound-2' }));
    const of = { stream: 'inbound', shardId: 'shardId-000000000002' };
    expect(await all(ledger.list('a', of))).to.deep.equal([
      entry('2', { consumer: 'a', shardId: of.shardId }),
    ]);
    expect(await all(ledger.list('a', { stream: 'inbound' }))).to.have.length(2);
    expect(await all(ledger.list('a'))).to.have.length(3);
  });

  it('lets a newer owner’s account stand against an older one’s late write', async () => {
    const newer = entry('7', { consumer: 'b', fence: 6, tally: {} });
    await ledger.put(newer);
    await ledger.put(entry('7', { consumer: 'b', fence: 5 }));
    expect(await all(ledger.list('b'))).to.deep.equal([newer]);
  });
});
