import type { LedgerEntry, Tally } from '../../../lib/consumer/events.ts';
import { addTallies, TallyBook } from '../../../lib/consumer/tally.ts';
import { isFinished, type Lease } from '../../../lib/leases/lease.ts';
import type { Auditor } from './auditor.ts';
import type { PutRecord, Truth } from './truth.ts';

export interface Accounts {
  readonly auditor: Auditor;
  readonly truth: Truth;
  /** Poison was handled in the end, and there should be no letters of it. */
  readonly cured: boolean;
  /** Where a tally is kept. */
  readonly ledger?: readonly LedgerEntry[];
  readonly leases?: readonly Lease[];
}

/** What must be true at the end of a history: of the dead letters, and of the tally. */
export function judgeAccounts({ auditor, cured, ledger, leases, truth }: Accounts): void {
  const records = truth.records();
  if (records.some(({ trimmed }) => trimmed)) return;
  const isPoison = ({ kind }: PutRecord): boolean => kind === 'garbage' || (kind === 'poison' && !cured);
  const written = new Set(auditor.letters.values());
  for (const record of records.filter((put) => isPoison(put) !== written.has(put))) {
    const what = written.has(record) ? 'has a letter' : 'has no letter';
    auditor.breach('dead letters are the poison', `${record.id} of ${record.shardId} ${what}`);
  }
  if (ledger === undefined || leases === undefined) return;
  const done = ({ kind }: PutRecord): boolean =>
    kind === 'good' || kind === 'flaky' || (cured && kind === 'poison');
  const expected = {
    done: bookOf('done', records.filter(done)),
    'dead-lettered': bookOf('dead-lettered', records.filter(isPoison)),
  };
  const { repeat, ...said } = saidOf(ledger, leases);
  const actual = { done: said.done ?? none, 'dead-lettered': said['dead-lettered'] ?? none };
  const repeats = records.filter(({ kind }) => kind === 'repeat').length;
  const same = JSON.stringify(actual) === JSON.stringify(expected) && (repeat?.count ?? 0) === repeats;
  const text = `${JSON.stringify(actual)}, ${repeat?.count} repeats`;
  if (!same)
    auditor.breach('the tally is true', `${text} instead of ${JSON.stringify(expected)}, ${repeats}`);
}

const none = { count: 0, digest: '0'.repeat(32) };

function bookOf(outcome: string, records: readonly PutRecord[]) {
  const book = new TallyBook();
  for (const { id } of records) book.add(outcome, id);
  return book.save()[outcome] ?? none;
}

/** Of shards that have ended the ledger, of the others the lease with its checkpoint. */
function saidOf(ledger: readonly LedgerEntry[], leases: readonly Lease[]): Tally {
  const ended = new Map<string, Tally>();
  for (const { shardId, tally, upTo } of ledger) if (upTo === 'SHARD_END') ended.set(shardId, tally);
  const open = leases.filter((lease) => !isFinished(lease));
  const tallies = [...ended.values(), ...open.map(({ state }) => TallyBook.load(state?.tally).save())];
  return tallies.reduce<Tally>((sum, tally) => addTallies(sum, tally), {});
}
