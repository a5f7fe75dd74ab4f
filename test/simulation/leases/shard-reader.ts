import type { HeldLease } from '../../../lib/leases/held-lease.ts';
import { LeaseLost } from '../../../lib/leases/lease-lost.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';
import type { Breaches } from '../breaches.ts';
import type { ShardModel } from './shard-model.ts';

export type Deliver = (lease: HeldLease, from: number, to: number) => void;

export interface ReaderPorts {
  readonly model: ShardModel;
  readonly clock: Clock;
  readonly random: () => number;
  readonly deliver: Deliver;
  readonly breaches: Breaches;
}

const batch = 5;

/** What a consumer does with a lease, without records: verify, deliver, now and then checkpoint, finish. */
export async function readShard(lease: HeldLease, ports: ReaderPorts): Promise<void> {
  try {
    await readOn(lease, ports);
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
  }
}

async function readOn(lease: HeldLease, ports: ReaderPorts): Promise<void> {
  const { model, clock, random } = ports;
  let at = startOf(lease, ports);
  let saved = at;
  // Some work saves so rarely that only renewals keep its lease.
  const saveChance = random() < 0.5 ? 0.4 : 0.02;
  const save = async (): Promise<void> => {
    const shard = model.get(lease.shardId);
    const sequenceNumber = model.sequenceNumber(shard, at);
    await lease.checkpoint({ type: 'POSITION', sequenceNumber, subSequenceNumber: 0 }, { count: at });
    saved = at;
  };
  while (!lease.drain.aborted) {
    await lease.verify();
    const shard = model.get(lease.shardId);
    const end = model.count(shard);
    const to = Math.min(end, at + batch);
    if (to > at) ports.deliver(lease, at, to);
    at = to;
    lease.observe({ bytes: 1_000, fromMs: 0, toMs: 0 });
    await clock.sleep(200 + random() * 800, lease.lost);
    if (shard.closedAtMs !== undefined && at === end) {
      return lease.finish(model.children(shard.shardId), { count: at });
    }
    if (random() < saveChance && at > saved) await save();
  }
  if (at > saved) await save();
}

function startOf(lease: HeldLease, { breaches, model }: ReaderPorts): number {
  const { checkpoint, parents, state } = lease.taken;
  for (const parent of parents) {
    if (parent.state?.count !== model.count(model.get(parent.shardId))) {
      breaches.add('state rides with its checkpoint', `${lease.shardId}: final state of ${parent.shardId}`);
    }
  }
  if (checkpoint.type !== 'POSITION') return 0;
  const at = model.indexOf(model.get(lease.shardId), checkpoint.sequenceNumber);
  if (state?.count !== at) {
    breaches.add('state rides with its checkpoint', `${lease.shardId}: ${JSON.stringify(state)} at ${at}`);
  }
  return at;
}
