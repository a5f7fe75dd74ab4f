import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createCoordinator } from '../../../lib/leases/coordinator.ts';
import { createDynamoLeaseStore } from '../../../lib/leases/dynamo-lease-table.ts';
import type { HeldLease } from '../../../lib/leases/held-lease.ts';
import { LeaseLost } from '../../../lib/leases/lease-lost.ts';
import { leaseRequestMs } from '../../../lib/leases/timings.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { createMemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import type { LeaseProcessSettings } from './lease-processes.ts';

/**
 * A worker as a process of its own. "Delivers" each 20 ms from every shard it holds, and says so on stdout, one JSON
 * object per line. SIGTERM drains it; SIGUSR2 has it block its event loop, or hang in every delivery.
 */
const settings = JSON.parse(process.argv[2] ?? '{}') as LeaseProcessSettings;
const { blockMs, endpoint, failoverMs, shards, stopMs, tableName, workerId } = settings;
const tell = (line: object): void =>
  void process.stdout.write(`${JSON.stringify({ workerId, atMs: Date.now(), ...line })}\n`);

let hangs = false;

async function deliver(lease: HeldLease): Promise<void> {
  const { fence, shardId } = lease;
  const from = lease.taken.checkpoint;
  let at = from.type === 'POSITION' ? Number(from.sequenceNumber) : 0;
  tell({ did: 'begin', shardId, fence, at });
  const save = (): Promise<void> =>
    lease.checkpoint({ type: 'POSITION', sequenceNumber: String(at), subSequenceNumber: 0 }, { at });
  try {
    while (!lease.drain.aborted) {
      await lease.verify();
      at += 1;
      tell({ did: 'deliver', shardId, fence, at });
      if (hangs) await hang({ shardId, fence, at });
      if (at % 10 === 0) await save();
      await systemClock.sleep(20, lease.drain);
    }
    await save();
    tell({ did: 'drained', shardId, fence, at });
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    await refused(save, { shardId, fence, at });
  }
}

/** A handler that never returns, whatever it is told. */
async function hang(line: object): Promise<never> {
  tell({ did: 'hang', ...line });
  return new Promise(() => {});
}

/** Old work still wants to save its place. */
async function refused(save: () => Promise<void>, line: object): Promise<void> {
  try {
    await save();
    tell({ did: 'saved-after-loss', ...line });
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    tell({ did: 'refused', ...line });
  }
}

function block(): void {
  tell({ did: 'block' });
  const untilMs = Date.now() + blockMs;
  while (Date.now() < untilMs);
  tell({ did: 'wake' });
}

const kinesis = createMemoryKinesis({ clock: systemClock });
kinesis.createStream('orders', shards);
const client = new DynamoDBClient({
  region: 'local',
  endpoint,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
process.once('SIGUSR2', () => {
  if (blockMs > 0) block();
  else hangs = true;
});

const coordinator = createCoordinator({
  application: 'test',
  workerId,
  streams: [{ name: 'orders', initial: { type: 'TRIM_HORIZON' } }],
  kinesis,
  store: createDynamoLeaseStore({ client, tableName, requestMs: leaseRequestMs(failoverMs) }),
  clock: systemClock,
  random: Math.random,
  options: { failoverMs, stopMs },
  events: (event) => {
    const shardId = 'leaseKey' in event ? { shardId: event.leaseKey } : {};
    tell({ did: event.type, ...shardId, ...('reason' in event ? { reason: event.reason } : {}) });
  },
  work: deliver,
});
await coordinator.run(stop.signal);
process.exit(0);
