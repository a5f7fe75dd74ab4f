import { formatItem, type Item, type ParsedItem, parseItem } from './lease-item.ts';
import type { LeaseStore, Pulse, Segment, WriteOutcome } from './lease-store.ts';
import * as writes from './lease-writes.ts';
import type { LeaseWrite } from './lease-writes.ts';

/** `item` is what stands there now; undefined if nothing does. */
export type TableOutcome =
  | { readonly done: true; readonly item: Item }
  | { readonly done: false; readonly item: Item | undefined };

/** The few operations on items that a lease table needs. Conditions are decided and applied as one step. */
export interface LeaseTable {
  /** Not done if the key is taken. */
  readonly insert: (leaseKey: string, item: Item) => Promise<TableOutcome>;
  readonly update: (write: LeaseWrite) => Promise<TableOutcome>;
  /** Only the key and `expect` count. Done: the item that was deleted. */
  readonly remove: (write: LeaseWrite) => Promise<TableOutcome>;
  readonly get: (leaseKey: string) => Promise<Item | undefined>;
  readonly scan: (segment: Segment) => AsyncIterable<readonly Item[]>;
  readonly ownedBy: (worker: string) => Promise<readonly string[]>;
  /** Items of the pulse index, of one process or all; undefined where there is no such index. */
  readonly pulses: (incarnation?: string) => Promise<readonly Item[] | undefined>;
}

/** The verbs of leases on any table of items. */
export function createLeaseStore(table: LeaseTable): LeaseStore {
  const update = async (write: LeaseWrite): Promise<WriteOutcome> =>
    outcomeOf(await table.update(write), write.landed);
  return {
    create: async (lease, mark) => {
      const marked = { ...lease, writeNonce: mark.nonce };
      const done = await table.insert(lease.leaseKey, formatItem(marked));
      return outcomeOf(done, { leaseCounter: lease.counter, writeNonce: mark.nonce });
    },
    renew: (lease, mark) => update(writes.renewal(lease, mark)),
    take: (lease, mark) => update(writes.taking(lease, mark)),
    checkpoint: (lease, upTo, state, mark) => update(writes.checkpointing(lease, upTo, state, mark)),
    prepare: (lease, upTo, note, mark) => update(writes.preparing(lease, upTo, note, mark)),
    finish: (lease, children, state, mark) => update(writes.finishing(lease, children, state, mark)),
    release: (lease, mark) => update(writes.releasing(lease, mark)),
    assign: (lease, to, mark, kind) => update(writes.assigning(lease, to, mark, kind)),
    reset: (lease, replay, mark) => update(writes.resetting(lease, replay, mark)),
    requestHandoff: (lease, from, to, kind) => update(writes.requestingHandoff(lease, from, to, kind)),
    remove: async (lease) => outcomeOf(await table.remove(writes.removal(lease)), undefined),
    get: async (leaseKey) => {
      const item = await table.get(leaseKey);
      return item === undefined ? undefined : parseItem(item);
    },
    list: (segment) => parsedPages(table.scan(segment)),
    ownedBy: table.ownedBy,
    pulses: async (incarnation) => (await table.pulses(incarnation))?.map(pulseFrom),
    ring: (leaseKey, owner, bell) => update(writes.ringing(leaseKey, owner, bell)),
  };
}

function pulseFrom({ leaseKey, leaseCounter, pulse }: Item): Pulse {
  return { leaseKey: String(leaseKey), incarnation: String(pulse), counter: Number(leaseCounter) };
}

async function* parsedPages(pages: AsyncIterable<readonly Item[]>): AsyncIterable<readonly ParsedItem[]> {
  for await (const items of pages) yield items.map(parseItem);
}

function outcomeOf(outcome: TableOutcome, landed: writes.Expected | undefined): WriteOutcome {
  if (outcome.item === undefined) return { type: 'missing' };
  const parsed = parseItem(outcome.item);
  if (parsed.type === 'malformed') return { type: 'unreadable', problems: parsed.problems };
  if (parsed.type === 'foreign') return { type: 'unreadable', problems: [`entityType ${parsed.entityType}`] };
  // A write that was sent twice because its response was lost fails the second time, on its own traces.
  const won = outcome.done || (landed !== undefined && writes.fits(outcome.item, landed));
  return won ? { type: 'won', lease: parsed.lease } : { type: 'lost', current: parsed.lease };
}
