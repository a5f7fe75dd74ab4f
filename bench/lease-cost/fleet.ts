import { createCoordinator } from '../../lib/leases/coordinator.ts';
import type { HeldLease } from '../../lib/leases/held-lease.ts';
import { createMemoryLeaseTable } from '../../lib/leases/memory-lease-table.ts';
import type { SavedState } from '../../lib/leases/saved-state.ts';
import { createLeaseStore } from '../../lib/leases/table-lease-store.ts';
import { createManualClock } from '../../lib/runtime/manual-clock.ts';
import { createMemoryKinesis } from '../../lib/streams/memory-kinesis.ts';
import { type Account, CountingTable } from './counting-table.ts';
import { seededRandom } from './seeded-random.ts';
import { itemBytes } from './units.ts';

export interface FleetCase {
  readonly workers: number;
  readonly leases: number;
  /** Time between two checkpoints of a lease; undefined: idle. */
  readonly checkpointMs: number | undefined;
  readonly state: SavedState;
  /** Simulated time that is measured. */
  readonly measureMs: number;
}

export interface FleetCost extends Account {
  readonly itemBytesMean: number;
  /** Most and fewest leases of a worker at the end. */
  readonly sharesAtEnd: readonly [most: number, fewest: number];
}

/** Taking, balancing and the first minutes are not measured. */
const warmUpMs = 120_000;
const stopMs = 5_000;

/** A whole fleet in memory, through so much simulated time: what its lease table cost. */
export async function fleetCost(of: FleetCase): Promise<FleetCost> {
  const clock = createManualClock({ startMs: Date.parse('2026-01-01T00:00:00Z') });
  const random = seededRandom(1);
  const kinesis = createMemoryKinesis({ clock, random });
  kinesis.createStream('bench', of.leases);
  const memory = createMemoryLeaseTable();
  const table = new CountingTable(memory);
  const stop = new AbortController();
  const coordinators = Array.from({ length: of.workers }, (_, index) =>
    createCoordinator({
      application: 'bench',
      workerId: `worker-${String(index).padStart(2, '0')}`,
      streams: [{ name: 'bench', initial: { type: 'TRIM_HORIZON' } }],
      kinesis,
      store: createLeaseStore(table),
      clock,
      random,
      events: () => {},
      work: (lease) => workOn(lease, of, clock.sleep, random),
    }),
  );
  const running = coordinators.map((coordinator) => coordinator.run(stop.signal));
  await clock.advance(warmUpMs);
  table.settle();
  await clock.advance(of.measureMs);
  const account = table.settle();
  const shares = coordinators.map((coordinator) => coordinator.snapshot().held.length);
  const bytes = [...memory.items.values()].reduce((sum, item) => sum + itemBytes(item), 0);
  stop.abort();
  await clock.advance(stopMs);
  await Promise.all(running);
  return {
    ...account,
    itemBytesMean: bytes / memory.items.size,
    sharesAtEnd: [Math.max(...shares), Math.min(...shares)],
  };
}

/** Checkpoints as a consumer under traffic does, or only holds the lease. */
async function workOn(
  lease: HeldLease,
  { checkpointMs, state }: FleetCase,
  sleep: (ms: number, signal: AbortSignal) => Promise<void>,
  random: () => number,
): Promise<void> {
  const over = AbortSignal.any([lease.drain, lease.lost]);
  // Shards do not run in step.
  if (checkpointMs !== undefined) await sleep(checkpointMs * random(), over);
  for (let position = 1n; !over.aborted; position += 1n) {
    if (checkpointMs === undefined) await aborted(over);
    else await sleep(checkpointMs, over);
    if (over.aborted || checkpointMs === undefined) return;
    lease.observe({ bytes: checkpointMs * 100, fromMs: 0, toMs: 0 });
    const sequenceNumber = String(firstSequenceNumber + position);
    await lease.checkpoint({ type: 'POSITION', sequenceNumber, subSequenceNumber: 0 }, state);
  }
}

/** As long as the service's. */
const firstSequenceNumber = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_800n;

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
