import type { Item } from '../../lib/leases/lease-item.ts';
import type { LeaseWrite } from '../../lib/leases/lease-writes.ts';
import type { LeaseTable } from '../../lib/leases/table-lease-store.ts';
import type { Law } from './breaches.ts';
import type { FleetMutation } from './fleet.ts';

/** A bug, and the law that has to notice it. A law that has never gone red proves nothing. */
export interface Seeded<M> {
  readonly bug: string;
  readonly law: Law;
  readonly mutation: M;
}

export function without(item: Item, ...names: readonly string[]): Item {
  return Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name)));
}

export function onUpdate(change: (write: LeaseWrite) => LeaseWrite): FleetMutation {
  return { table: (table) => ({ ...table, update: (write) => table.update(change(write)) }) };
}

function onInsert(change: (item: Item) => Item): FleetMutation {
  const insert =
    (table: LeaseTable): LeaseTable['insert'] =>
    (key, item) =>
      table.insert(key, change(item));
  return { table: (table) => ({ ...table, insert: insert(table) }) };
}

/** The clocks of some machines run at a third of the rate. */
export const slowClocks: FleetMutation = {
  clock: (clock, process) =>
    process % 2 === 1
      ? clock
      : {
          ...clock,
          monotonic: () => clock.monotonic() / 3,
          now: () => clock.now() - (clock.monotonic() * 2) / 3,
        },
};

/** Bugs in what is written to the lease table: each has to be seen whatever is done with the leases. */
export const tableMutations: readonly Seeded<FleetMutation>[] = [
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
    bug: 'a lease is taken without its condition',
    law: 'I5 one owner',
    mutation: onUpdate((write) => (write.set.incarnation === undefined ? write : { ...write, expect: {} })),
  },
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
];
