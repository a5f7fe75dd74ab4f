import type { FleetMode } from './kcl3/fleet-mode.ts';
import type { LossReason } from './lease-lost.ts';

/**
 * Why a lease could be taken. `own`: it names this worker already (a restart, an assignment, a short loss). `overdue`:
 * its owner had been asked to hand it over and did not.
 */
export type TakeReason = 'unowned' | 'expired' | 'offered' | 'own' | 'overdue' | 'steal';

/** Everything that happens to leases, in one list: logs, metrics and tests are made from it. */
export type LeaseEvent =
  | {
      readonly type: 'worker-started';
      readonly application: string;
      readonly worker: string;
      readonly incarnation: string;
    }
  | { readonly type: 'worker-stopping'; readonly worker: string; readonly leases: number }
  | { readonly type: 'worker-stopped'; readonly worker: string }
  | { readonly type: 'lease-created'; readonly leaseKey: string; readonly checkpoint: string }
  | {
      readonly type: 'lease-taken';
      readonly leaseKey: string;
      readonly from: string | undefined;
      readonly reason: TakeReason;
      readonly fence: number;
    }
  /** State rode with another checkpoint than the item now has: a worker that does not know it moved on (Java). */
  | { readonly type: 'state-set-aside'; readonly leaseKey: string }
  | { readonly type: 'lease-waits-for-parents'; readonly leaseKey: string }
  | {
      readonly type: 'lease-lost';
      readonly leaseKey: string;
      readonly reason: LossReason;
      readonly to: string | undefined;
    }
  | { readonly type: 'lease-released'; readonly leaseKey: string }
  | { readonly type: 'lease-handed-over'; readonly leaseKey: string; readonly to: string }
  | { readonly type: 'lease-finished'; readonly leaseKey: string; readonly children: readonly string[] }
  | { readonly type: 'lease-restored'; readonly leaseKey: string }
  | { readonly type: 'lease-removed'; readonly leaseKey: string }
  | {
      readonly type: 'handoff-requested';
      readonly leaseKey: string;
      readonly from: string;
      readonly to: string;
    }
  | { readonly type: 'handoff-noticed'; readonly leaseKey: string; readonly to: string | undefined }
  /** A write whose response was lost turned out to have landed. */
  | { readonly type: 'write-recovered'; readonly leaseKey: string }
  /** The work of a lease ended by throwing; the lease is released and left alone by this worker for a while. */
  | {
      readonly type: 'work-failed';
      readonly leaseKey: string;
      readonly error: unknown;
      readonly pauseMs: number;
    }
  /** The work had not returned when the time to drain, or to hand over, was over. */
  | { readonly type: 'work-overran'; readonly leaseKey: string }
  /** An item that is no lease of ours, or one that cannot be trusted; others are not held up by it. */
  | { readonly type: 'item-set-aside'; readonly leaseKey: string; readonly problems: readonly string[] }
  | { readonly type: 'duplicate-worker'; readonly worker: string; readonly incarnation: string }
  /** The wall clock and the monotonic clock disagree by this much more than before; leases are verified. */
  | { readonly type: 'clock-jumped'; readonly byMs: number }
  /** By which rules this worker lives with Java's, and the version that the fleet says it has (KCL 3). */
  | {
      readonly type: 'compat-mode-changed';
      readonly from: FleetMode | undefined;
      readonly to: FleetMode;
      readonly clientVersion: string | undefined;
    }
  /** The wall clock of another member of a KCL 3 fleet differs by so much, or more; its leader compares them. */
  | { readonly type: 'clock-skew'; readonly worker: string; readonly byMs: number }
  /** A shard that nobody has owned for longer than the failover time allows. */
  | { readonly type: 'shard-unowned'; readonly leaseKey: string; readonly forMs: number }
  /** This worker would take more leases if `maxLeases` let it. */
  | { readonly type: 'at-capacity'; readonly maxLeases: number; readonly waiting: number }
  | {
      readonly type: 'hash-range-hole';
      readonly stream: string;
      readonly start: string;
      readonly end: string;
    }
  | {
      readonly type: 'shards-synced';
      readonly stream: string;
      readonly shards: number;
      readonly created: number;
    }
  /** The fleet is large and its table has no index of pulses (Java made it, say): the table is read far more often. */
  | { readonly type: 'no-pulse-index' }
  /** A call to the lease table or to Kinesis failed. It is tried again; processing goes on until deadlines pass. */
  | { readonly type: 'call-failed'; readonly doing: string; readonly error: unknown };

export type ReportLeaseEvent = (event: LeaseEvent) => void;
