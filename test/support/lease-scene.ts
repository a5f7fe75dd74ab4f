import type { LeaseEvent } from '../../lib/leases/diagnostics.ts';
import { LeaseStoreError } from '../../lib/leases/lease-store.ts';
import { createMemoryLeaseStore } from '../../lib/leases/memory-lease-table.ts';
import { createManualClock } from '../../lib/runtime/manual-clock.ts';
import { createMemoryKinesis } from '../../lib/streams/memory-kinesis.ts';
import { startWorker, type TestWorker, type WorkerSettings } from './lease-workers.ts';

export function leaseScene(shards: number) {
  const clock = createManualClock({ startMs: 1_700_000_000_000 });
  const kinesis = createMemoryKinesis({ clock });
  kinesis.createStream('orders', shards);
  const store = createMemoryLeaseStore();
  const start = (id: string, over: Partial<WorkerSettings> = {}): TestWorker =>
    startWorker({ id, clock, kinesis, store, ...over });
  return { clock, kinesis, store, start };
}

export const ofType = (worker: TestWorker, type: LeaseEvent['type']): LeaseEvent[] =>
  worker.events.filter((event) => event.type === type);

export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

export async function stopAll(
  clock: { advance: (ms: number) => Promise<void> },
  workers: readonly TestWorker[],
) {
  for (const worker of workers) worker.stop.abort();
  await clock.advance(3_000);
  await Promise.all(workers.map(({ done }) => done));
}

/** A page that never comes: the table is out of reach. */
export async function* refuse(): AsyncGenerator<readonly never[]> {
  yield await Promise.reject(new LeaseStoreError('lease-table-unavailable', 'simulated outage'));
}
