import { type Lease, siblingKey } from './lease.ts';
import type { LeaseStore } from './lease-store.ts';
import type { WriteMark } from './lease-writes.ts';
import type { WorkerContext } from './worker-context.ts';

/**
 * Makes the lease of a child of the shard `parent`, unless it is there, or has to wait. The other parent of a merged
 * shard may have no lease yet, because its own parents are still being read. A child whose parent has no lease would not
 * wait for it; so then the child is left to the end of the other parent, or, should that one never get a lease, to the
 * shard sync. Rejects with LeaseStoreError; may be called again with the same mark.
 */
export async function createChild(
  { report, store }: Pick<WorkerContext, 'report' | 'store'>,
  parent: string,
  child: Lease,
  mark: WriteMark,
): Promise<void> {
  if (!(await othersLeased(store, parent, child))) return;
  const { type } = await store.create(child, mark);
  const { leaseKey, checkpoint } = child;
  if (type === 'won') report({ type: 'lease-created', leaseKey, checkpoint: checkpoint.type });
}

async function othersLeased(store: LeaseStore, parent: string, child: Lease): Promise<boolean> {
  for (const other of child.parents) {
    if (other !== parent && (await store.get(siblingKey(child, other))) === undefined) return false;
  }
  return true;
}
