import { PlatformError } from '../runtime/errors.ts';
import type { CheckpointPosition } from './held-lease.ts';
import type { Lease } from './lease.ts';
import type { ParsedItem } from './lease-item.ts';
import type { Kind, Replay, WriteMark } from './lease-writes.ts';
import type { SavedState } from './saved-state.ts';

/**
 * How a conditional write ended. Losing a race is an outcome, not an error; errors (`LeaseStoreError`) mean that it
 * is not known whether the write happened: the same write with the same mark may be sent again.
 */
export type WriteOutcome =
  | { readonly type: 'won'; readonly lease: Lease }
  /** Somebody wrote in between; this is what stands there now. */
  | { readonly type: 'lost'; readonly current: Lease }
  | { readonly type: 'missing' }
  /** What stands there now is no lease that can be trusted. */
  | { readonly type: 'unreadable'; readonly problems: readonly string[] };

/** Which part of the table to list: the n-th of `of` equal parts. */
export interface Segment {
  readonly n: number;
  readonly of: number;
}

/**
 * The lease table, one verb per conditional write. Conditions and attributes are in lease-writes.ts; all but
 * `requestHandoff` and `ring` are conditional on the counter of the lease that is given. Adapters: memory-lease-table.ts and
 * dynamo-lease-table.ts; both pass test/contract/lease-store.ts.
 */
export interface LeaseStore {
  /** `lost` if the lease exists already. The lease's own owner and counter are written as they are. */
  readonly create: (lease: Lease, mark: WriteMark) => Promise<WriteOutcome>;
  readonly renew: (lease: Lease, mark: WriteMark) => Promise<WriteOutcome>;
  readonly take: (lease: Lease, mark: WriteMark) => Promise<WriteOutcome>;
  readonly checkpoint: (
    lease: Lease,
    upTo: CheckpointPosition,
    state: SavedState,
    mark: WriteMark,
  ) => Promise<WriteOutcome>;
  readonly prepare: (
    lease: Lease,
    upTo: CheckpointPosition,
    note: Uint8Array,
    mark: WriteMark,
  ) => Promise<WriteOutcome>;
  /** Writes SHARD_END, the final state and the children's shard ids, and so ends the ownership. */
  readonly finish: (
    lease: Lease,
    children: readonly string[],
    state: SavedState,
    mark: WriteMark,
  ) => Promise<WriteOutcome>;
  readonly release: (lease: Lease, mark: WriteMark) => Promise<WriteOutcome>;
  /** `kind` is that of the worker `to`. */
  readonly assign: (lease: Lease, to: string, mark: WriteMark, kind: Kind) => Promise<WriteOutcome>;
  /** Moves the checkpoint back for a replay; whoever holds the lease loses it at its next write. */
  readonly reset: (lease: Lease, replay: Replay, mark: WriteMark) => Promise<WriteOutcome>;
  readonly requestHandoff: (lease: Lease, from: string, to: string, kind: Kind) => Promise<WriteOutcome>;
  /** `missing` if it was gone already. */
  readonly remove: (lease: Lease) => Promise<WriteOutcome>;
  /** Strongly consistent. */
  readonly get: (leaseKey: string) => Promise<ParsedItem | undefined>;
  /** Page by page, eventually consistent. */
  readonly list: (segment: Segment) => AsyncIterable<readonly ParsedItem[]>;
  /** Keys of the leases whose item names this worker as the owner; from an index, so up to a moment old. */
  readonly ownedBy: (worker: string) => Promise<readonly string[]>;
  /**
   * The pulses of all processes, or of one; from an index, so up to a moment old. Undefined where the table has no such
   * index, or this worker may not read it.
   */
  readonly pulses: (incarnation?: string) => Promise<readonly Pulse[] | undefined>;
  /** Rings at one lease of `owner`: see Lease.bell. Not conditional on the counter, which does not move. */
  readonly ring: (leaseKey: string, owner: string, bell: string) => Promise<WriteOutcome>;
}

/** A lease that a process has chosen as its pulse, as the index has it: see Lease.pulse. */
export interface Pulse {
  readonly leaseKey: string;
  readonly incarnation: string;
  readonly counter: number;
}

export const wholeTable: Segment = { n: 0, of: 1 };

export type LeaseStoreErrorCode =
  | 'lease-table-missing'
  | 'lease-table-forbidden'
  | 'lease-table-throttled'
  | 'lease-table-unavailable';

export class LeaseStoreError extends PlatformError {
  declare readonly code: LeaseStoreErrorCode;

  constructor(code: LeaseStoreErrorCode, message: string, cause?: unknown) {
    super(code, message, { retryable: code !== 'lease-table-forbidden', cause });
  }
}
