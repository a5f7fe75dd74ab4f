import { pulseGroup } from '../../../lib/leases/lease-writes.ts';
import type { LeaseTable } from '../../../lib/leases/table-lease-store.ts';
import { type Seeded, slowClocks, tableMutations, without } from '../table-mutations.ts';
import type { Mutation } from './world.ts';

/** Renewals and checkpoints mark the lease as a pulse, and whoever writes them never learns of it. */
function unaware(table: LeaseTable): LeaseTable {
  return {
    ...table,
    pulses: async () => undefined,
    update: async (write) => {
      const pulse = (await table.get(write.leaseKey))?.incarnation;
      const stays = pulse !== undefined && !write.remove.includes('pulse') && 'leaseCounter' in write.set;
      const outcome = await table.update(
        stays ? { ...write, set: { ...write.set, pulse, pulseGroup } } : write,
      );
      return outcome.done ? { done: true, item: without(outcome.item, 'pulse', 'pulseGroup') } : outcome;
    },
  };
}

export const mutations: readonly Seeded<Mutation>[] = [
  ...tableMutations,
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
    bug: 'work does not verify its lease before it delivers',
    law: 'I4 nothing after loss',
    mutation: { lease: (lease) => ({ ...lease, verify: async () => {} }) },
  },
  {
    bug: 'the clocks of some machines run at a third of the rate, and nothing but renewals keeps a lease',
    law: 'I5 one owner',
    mutation: {
      ...slowClocks,
      lease: (lease) => ({ ...lease, checkpoint: async () => {} }),
    },
  },
  {
    bug: 'a worker does not know which lease is its pulse, so that its deadline is not bounded by it',
    law: 'I5 one owner',
    mutation: {
      large: true,
      shards: 16,
      table: (table, process) => (process % 2 === 0 ? unaware(table) : table),
    },
  },
  { bug: 'nobody takes leases', law: 'I6 in time', mutation: { maxLeases: 0 } },
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
