import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createCoordinator } from '../../lib/leases/coordinator.ts';
import { createDynamoLeaseStore } from '../../lib/leases/dynamo-lease-table.ts';
import type { HeldLease } from '../../lib/leases/held-lease.ts';
import { LeaseLost } from '../../lib/leases/lease-lost.ts';
import { leaseRequestMs } from '../../lib/leases/timings.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createMemoryKinesis } from '../../lib/streams/memory-kinesis.ts';

/**
 * A worker as a process of its own: `lease-process.ts ENDPOINT TABLE WORKER FAILOVER_MS SHARDS`. "Delivers" each
 * 20 ms from every shard it holds, and says so on stdout, one JSON object per line. Drains on SIGTERM.
 */
const [endpoint = '', tableName = '', workerId = '', failoverText = '', shardsText = ''] =
  process.argv.slice(2);
const failoverMs = Number(failoverText);
const tell = (line: object): void => void process.stdout.write(`${JSON.stringify({ workerId, ...line })}\n`);

async function deliver(lease: HeldLease): Promise<void> {
  const { fence, shardId } = lease;
  const from = lease.taken.checkpoint;
  let at = from.type === 'POSITION' ? Number(from.sequenceNumber) : 0;
  tell({ did: 'begin', shardId, fence, at });
  const save = (): Promise<void> =>
    lease.checkpoint({ type: 'POSITION', sequenceNumber: String(at), subSequenceNumber: 0 }, { at });
  while (!lease.drain.aborted) {
    await lease.verify();
    at += 1;
    tell({ did: 'deliver', shardId, fence, at });
    if (at % 10 === 0) await save();
    await systemClock.sleep(20, lease.drain);
  }
  await save();
  tell({ did: 'drained', shardId, fence, at });
}

const kinesis = createMemoryKinesis({ clock: systemClock });
kinesis.createStream('orders', Number(shardsText));
const client = new DynamoDBClient({
  region: 'local',
  endpoint,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

const coordinator = createCoordinator({
  application: 'test',
  workerId,
  streams: [{ name: 'orders', initial: { type: 'TRIM_HORIZON' } }],
  kinesis,
  store: createDynamoLeaseStore({ client, tableName, requestMs: leaseRequestMs(failoverMs) }),
  clock: systemClock,
  random: Math.random,
  options: { failoverMs, stopMs: 8_000 },
  events: (event) => tell({ did: event.type, ...('leaseKey' in event ? { shardId: event.leaseKey } : {}) }),
  work: async (lease) => {
    try {
      await deliver(lease);
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
    }
  },
});
await coordinator.run(stop.signal);
process.exit(0);
