import type { LeaseWrite } from '../../../lib/leases/lease-writes.ts';
import type { Item } from '../../../lib/leases/lease-item.ts';
import type { LeaseTable } from '../../../lib/leases/table-lease-store.ts';
import type { Law } from '../breaches.ts';
import type { Mutation } from './world.ts';

function without(item: Item, ...names: readonly string[]): Item {
  return Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name)));
}

function onUpdate(change: (write: LeaseWrite) => LeaseWrite): Mutation {
  return { table: (table) => ({ ...table, update: (write) => table.update(change(write)) }) };
}

function onInsert(change: (item: Item) => Item): Mutation {
  const insert =
    (table: LeaseTable): LeaseTable['insert'] =>
    (key, item) =>
      table.insert(key, change(item));
  return { table: (table) => ({ ...table, insert: insert(table) }) };
}

/** Bugs, and the law that has to notice each. A law that has never gone red proves nothing. */
export const mutations: readonly {
  readonly bug: string;
  readonly law: Law;
  readonly mutation: Mutation;
}[] = [
  {
    bug: 'a checkpoint runs ahead of what was read',
    law: 'I1 nothing missed',
    mutation: {
      lease: (lease) => ({
        ...lease,
        checkpoint: (upTo, state) => {
          const sequenceNumber = String(BigInt(upTo.sequenceNumber) + 2n);
          return lease.checkpoint({ ...upTo, sequenceNumber }, { count: Number(state.count) + 2 });
        },
      }),
    },
  },
  {
    bug: 'leases of children do not name their parents',
    law: 'I2 parents first',
    mutation: onInsert((item) => without(item, 'parentShardId')),
  },
  {
    bug: 'a checkpoint is written without its condition',
    law: 'I3 checkpoint forward',
    mutation: onUpdate((write) => (write.set.checkpoint === undefined ? write : { ...write, expect: {} })),
  },
  {
    bug: 'work does not verify its lease before it delivers',
    law: 'I4 nothing after loss',
    mutation: { lease: (lease) => ({ ...lease, verify: async () => {} }) },
  },
  {
    bug: 'the clocks of some machines run at a third of the rate, and nothing but renewals keeps a lease',
    law: 'I5 one owner',
    mutation: {
      clock: (clock, process) =>
        process % 2 === 1
          ? clock
          : {
              ...clock,
              monotonic: () => clock.monotonic() / 3,
              now: () => clock.now() - (clock.monotonic() * 2) / 3,
            },
      lease: (lease) => ({ ...lease, checkpoint: async () => {} }),
    },
  },
  {
    bug: 'a lease is taken without its condition',
    law: 'I5 one owner',
    mutation: onUpdate((write) => (write.set.incarnation === undefined ? write : { ...write, expect: {} })),
  },
  { bug: 'nobody takes leases', law: 'I6 in time', mutation: { maxLeases: 0 } },
  {
    bug: 'a lease is created without an attribute that Java needs',
    law: 'I7 Java reads it',
    mutation: onInsert((item) => without(item, 'ownerSwitchesSinceCheckpoint')),
  },
  {
    bug: 'a checkpoint leaves the old state behind',
    law: 'state rides with its checkpoint',
    mutation: onUpdate((write) => ({ ...write, set: without(write.set, 'state') })),
  },
  {
    bug: 'writes leave no nonce, so a lost response is not recognised',
    law: 'no lease lost without need',
    mutation: onUpdate((write) => ({ ...write, set: without(write.set, 'writeNonce') })),
  },
  {
    bug: 'work throws when it is told that the lease is lost',
    law: 'a run ends well',
    mutation: {
      lease: (lease) => ({
        ...lease,
        checkpoint: async () => {
          throw new Error('simulated bug');
        },
      }),
    },
  },
];
