import { type Seeded, slowClocks, tableMutations } from '../table-mutations.ts';
import type { Mutation } from './world.ts';

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
