import { PlatformError } from '../runtime/errors.ts';
import type { Fleet } from './fleet.ts';
import type { WorkerContext } from './worker-context.ts';
import { actualOwner, type Lease } from './lease.ts';
import { LeaseStoreError } from './lease-store.ts';

/**
 * Leases of this worker's id, held by another process: an earlier life of this worker, or a second worker that was
 * given the same id. An earlier life that is surely over leaves them to us at once. Otherwise they are watched for
 * somewhat longer than a renewal takes: if one moves, that process lives, and this one must not start.
 */
export async function settleIdentity(
  context: WorkerContext,
  fleet: Fleet,
  isGone: (processId: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { clock, report, timings, worker } = context;
  const before = foreignLives(context, fleet).filter(
    ({ incarnation }) => !isGone((incarnation ?? '').slice(worker.length + 1)),
  );
  const untilMs = clock.monotonic() + timings.renewMs * 1.25;
  while (before.length > 0 && clock.monotonic() < untilMs && !signal.aborted) {
    await clock.sleep(timings.pollMs, signal);
    try {
      await fleet.look(before.map((lease) => lease.leaseKey));
    } catch (error) {
      if (!(error instanceof LeaseStoreError)) throw error;
      report({ type: 'call-failed', doing: 'look for an earlier process of this worker', error });
    }
    for (const lease of before) assertQuiet(context, lease, fleet.get(lease.leaseKey));
  }
  for (const { incarnation } of foreignLives(context, fleet)) {
    if (incarnation !== undefined) context.incarnations.add(incarnation);
  }
}

function foreignLives({ worker, incarnations }: WorkerContext, fleet: Fleet): readonly Lease[] {
  return fleet
    .all()
    .map(({ lease }) => lease)
    .filter((lease) => {
      const { incarnation } = lease;
      return actualOwner(lease) === worker && incarnation !== undefined && !incarnations.has(incarnation);
    });
}

function assertQuiet({ report, worker }: WorkerContext, before: Lease, now: Lease | undefined): void {
  const alive = now?.incarnation === before.incarnation && now?.counter !== before.counter;
  if (!alive || before.incarnation === undefined) return;
  report({ type: 'duplicate-worker', worker, incarnation: before.incarnation });
  throw new PlatformError(
    'duplicate-worker',
    `Another running process (${before.incarnation}) uses the worker id "${worker}": give each its own`,
  );
}
