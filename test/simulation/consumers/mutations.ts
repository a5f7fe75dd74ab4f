import { ByteBudget, type BudgetShare } from '../../../lib/consumer/byte-budget.ts';
import { Checkpoints } from '../../../lib/consumer/checkpoints.ts';
import { Delivery } from '../../../lib/consumer/delivery.ts';
import { messageOf, PlatformError } from '../../../lib/runtime/errors.ts';
import type { ShardProcessor, StreamRecord } from '../../../lib/consumer/processor.ts';
import { Holding } from '../../../lib/leases/holding.ts';
import type { SavedState } from '../../../lib/leases/saved-state.ts';
import { StampReader } from '../../../lib/streams/stamp-reader.ts';
import { onUpdate, type Seeded, slowClocks, tableMutations } from '../table-mutations.ts';
import type { Mutation } from './world.ts';

/** One verb of a class does something else until the history is over. */
function replaced<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  verb: (original: T[K]) => T[K],
): Mutation {
  return {
    patch: () => {
      const original = prototype[name];
      prototype[name] = verb(original);
      return () => {
        prototype[name] = original;
      };
    },
  };
}

type Process = ShardProcessor['process'];

function onProcess(change: (process: Process) => Process): Mutation {
  return {
    manner: 'records',
    processor: (processor) => ({ ...processor, process: change(processor.process) }),
  };
}

/** A grant of which nothing ever comes back. */
function leaking(share: BudgetShare): BudgetShare {
  return {
    ...share,
    reserve: async (bytes, signal) => {
      const grant = await share.reserve(bytes, signal);
      return grant && { ...grant, release: () => {} };
    },
  };
}

/** After a failure the records of a larger batch are given as `change` makes them. */
function afterFailure(change: (records: readonly StreamRecord[]) => readonly StreamRecord[]): Mutation {
  return onProcess((process) => {
    let hasFailed = false;
    return async (records, context) => {
      try {
        await process(hasFailed && records.length > 1 ? change(records) : records, context);
        hasFailed = false;
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    };
  });
}

export const mutations: readonly Seeded<Mutation>[] = [
  ...tableMutations.map(({ mutation, ...seeded }) => ({
    ...seeded,
    // Old owners that write on are rare where clocks are right.
    mutation: { manner: 'records' as const, ...(seeded.law.startsWith('I3') && slowClocks), ...mutation },
  })),
  {
    bug: 'a batch that throws is skipped',
    law: 'I1 nothing missed',
    mutation: onProcess((process) => async (...batch) => {
      await Promise.allSettled([process(...batch)]);
    }),
  },
  {
    bug: 'halving a batch loses the neighbour of the poison',
    law: 'I1 nothing missed',
    mutation: afterFailure((records) => records.slice(0, -1)),
  },
  {
    bug: 'lanes checkpoint what they were given, not what they have done',
    law: 'I1 nothing missed',
    mutation: {
      manner: 'lanes',
      processor: (processor) => {
        const { doneUpTo: _, ...others } = processor;
        return { ...others, flush: async () => ({}) };
      },
    },
  },
  {
    bug: 'a checkpoint inside an aggregate counts for the whole of it',
    law: 'I1 nothing missed',
    mutation: onUpdate((write) =>
      write.set.checkpointSubSequenceNumber === 0
        ? write
        : { ...write, set: { ...write.set, checkpointSubSequenceNumber: 10_000 } },
    ),
  },
  {
    bug: 'a batch is tried again out of order',
    law: 'I2 in order',
    mutation: afterFailure((records) => records.toReversed()),
  },
  {
    bug: 'nobody verifies the lease before a delivery',
    law: 'I4 nothing after loss',
    mutation: replaced(Holding.prototype, 'verify', () => async () => {}),
  },
  {
    bug: 'bytes of pages are not given back to the budget',
    law: 'I6 in time',
    mutation: replaced(
      ByteBudget.prototype,
      'share',
      (share) =>
        function (this: ByteBudget) {
          return leaking(share.call(this));
        },
    ),
  },
  {
    bug: 'a checkpoint is written with the state of the one before',
    law: 'state rides with its checkpoint',
    mutation: {
      manner: 'records',
      processor: (processor) => {
        let before: SavedState = { count: 0 };
        return {
          ...processor,
          flush: async (...call) => {
            const state = before;
            before = await processor.flush(...call);
            return state;
          },
        };
      },
    },
  },
  {
    bug: 'a shard is given up without a last checkpoint',
    law: 'a drain saves all',
    mutation: replaced(Checkpoints.prototype, 'saveAll', () => async () => {}),
  },
  {
    bug: 'an outage is blamed on the records',
    law: 'dead letters are the poison',
    mutation: onProcess((process) => async (...batch) => {
      try {
        await process(...batch);
      } catch (error) {
        throw error instanceof PlatformError && error.retryable ? new Error(messageOf(error)) : error;
      }
    }),
  },
  {
    bug: 'new events are taken for repeats',
    law: 'the tally is true',
    mutation: {
      manner: 'events',
      ...replaced(
        StampReader.prototype,
        'judge',
        (judge) =>
          function (this: StampReader, stamp, ...rest) {
            const verdict = judge.call(this, stamp, ...rest);
            return stamp.position % 10n === 0n ? 'repeat' : verdict;
          },
      ),
    },
  },
  {
    bug: 'records are believed to be kept for a year',
    law: 'data loss is told',
    mutation: {
      kinesis: (kinesis) => ({
        ...kinesis,
        describe: async (...call) => ({ ...(await kinesis.describe(...call)), retentionHours: 8_760 }),
      }),
    },
  },
  {
    bug: 'the loop of a shard throws',
    law: 'a run ends well',
    mutation: replaced(Delivery.prototype, 'deliver', () => async () => {
      throw new Error('simulated bug');
    }),
  },
];
