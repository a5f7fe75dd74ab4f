import { PlatformError } from '../runtime/errors.ts';

/**
 * `taken`: somebody else wrote the item. `deadline`: no write was confirmed in time, whoever has it now.
 * `deleted`: the item, or the table, is gone. `unreadable`: somebody damaged the item. `reset`: a replay moved the checkpoint back. `overran`: the work went on
 * after the time to stop. `ended`: given up or finished by ourselves before this call.
 */
export type LossReason = 'taken' | 'deadline' | 'deleted' | 'unreadable' | 'reset' | 'overran' | 'ended';

/** The answer to everything that is asked of a lease that is no longer ours. Not a failure: stop, and forget it. */
export class LeaseLost extends PlatformError {
  readonly leaseKey: string;
  readonly reason: LossReason;

  constructor(leaseKey: string, reason: LossReason) {
    super('lease-lost', `The lease ${leaseKey} is no longer held by this worker (${reason})`);
    this.leaseKey = leaseKey;
    this.reason = reason;
  }
}
